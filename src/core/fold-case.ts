/**
 * Text as readers take it that ignore case (encoding/json of Go, System.Text.Json): equal for all that Unicode's simple
 * case folding makes equal. Three steps, since `ß` and `ẞ`, `ſ` and `s`, `K` and `k` meet in none of them alone.
 */
export const foldCase = (text: string): string => text.toLowerCase().toUpperCase().toLowerCase();
