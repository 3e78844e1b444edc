/** Which parcels of a neighbour have come: all up to `upTo`, and some beyond. */
export class Arrivals {
  private readonly beyond = new Set<number>();

  constructor(private upTo: number) {}

  add(number: number): void {
    if (number > this.upTo) this.beyond.add(number);
    this.advance();
  }

  /** Whether all up to `number` have come. */
  include(number: number): boolean {
    return this.upTo >= number;
  }

  /** Waits no longer for what is still missing up to `number`. */
  giveUp(number: number): void {
    this.upTo = Math.max(this.upTo, number);
    for (const early of this.beyond) if (early <= this.upTo) this.beyond.delete(early);
    this.advance();
  }

  private advance(): void {
    while (this.beyond.delete(this.upTo + 1)) this.upTo += 1;
  }
}
