/** So many of them. */
export const plural = (many: number, noun: string): string => `${many} ${noun}${many === 1 ? "" : "s"}`;
