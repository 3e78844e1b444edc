/**
 * How many of those who come back read what they missed at once, on one node. When thousands do, the connections to the
 * database must not all be theirs: others go on writing.
 */
export const CATCHING_UP = 4;
