/** Loaded before a program: its clock is OTHER_CLOCK_MS from the true time. Timers, which know no date, are left alone. */
const TrueDate = Date;
const ahead = Number(process.env.OTHER_CLOCK_MS);

globalThis.Date = class Date extends TrueDate {
  constructor(...parts) {
    if (parts.length === 0) super(Date.now());
    else super(...parts);
  }

  static now() {
    return TrueDate.now() + ahead;
  }
};
