/**
 * The form in which names and addresses are compared: NFKC (Unicode Standard Annex 15) and lower case, so that
 * look-alikes of width or case cannot stand beside each other.
 */
export function comparable(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
