/**
 * What looks like a secret, by the name it goes under or by its own form. It errs on the side of silence: a word too much
 * is taken out of a log more easily than a password is taken back.
 */

export const REDACTED = "[redacted]";

/** Whatever stands under such a name. */
const SECRET_NAME =
  /pass(?:word|wd|phrase|code)|secret|token|authori[sz]ation|credential|(?:api|access|private|signing)[-_. ]?key|cookie|session|signature|^(?:pwd|pin|otp|auth|jwt)$/i;

const SECRET_FORMS = [
  /\b(?:bearer|basic)\s+[\w+/=.~-]{8,}/i,
  // A JWT: its header is the base64 of `{"`.
  /\beyJ[\w-]{6,}\.[\w-]{6,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  // Tokens that say whose they are: GitHub, GitLab, Slack, npm, AWS, Google, and `sk-` of several.
  /\b(?:gh[oprsu]_|github_pat_|glpat-|xox[a-z]-|npm_|hf_|sk[-_]|rk_live_)[\w-]{16,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}/,
  /\bAIza[\w-]{30,}/,
  // `https://user:password@host`.
  /:\/\/[^\s/@:]*:[^\s/@]+@/,
  // `?token=...`, `Authorization: ...`, `"password": "..."`, `--api-key ...`
  /(?:password|passwd|secret|token|api[-_]?key|authorization|cookie)["']?\s*[=:]\s*\S/i,
  /--(?:password|passwd|secret|token|api-key)\s+\S/i,
];

/** Where a secret begins that a log could show the beginning of. Also the bound on what the patterns cost. */
const LOOKED_AT = 1_024;

export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

export function looksSecret(text: string): boolean {
  const head = text.length <= LOOKED_AT ? text : text.slice(0, LOOKED_AT);
  return SECRET_FORMS.some((form) => form.test(head));
}
