export const SUPERUSER = 'parley';

/** The database of the app. */
export const DATABASE = 'parley';

/** Advisory locks belong to a database: here they stay out of the way of who drops and makes the app's own one. */
export const MEETING_POINT = 'postgres';
