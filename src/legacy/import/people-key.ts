/** The key of a direct conversation, as the app makes it: of an array column with the ids of its people in order. */
export function peopleKey(people: string): string {
  return `sha256(convert_to(array_to_string(${people}, ','), 'UTF8'))`;
}
