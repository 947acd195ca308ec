/**
 * Text as readers take it that ignore case (encoding/json of Go, System.Text.Json): equal for all that Unicode's simple
 * case folding makes equal. Three steps, since `ß` and `ẞ`, `ſ` and `s`, `K` and `k` meet in none of them alone.
 */
export function foldCase(text: string): string {
  const lower = text.toLowerCase();
  return isAscii(lower) ? lower : lower.toUpperCase().toLowerCase();
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
