// @ts-check
/**
 * What the page knows: it asks every two seconds, asks less often while nobody answers, keeps what it knew, and notices
 * when another process answers than before. Nothing is asked while nobody looks.
 */

/** @import { Answers } from "./answers.js" */

/**
 * @typedef {object} Known
 * @property {Answers | undefined} answers the last that came
 * @property {number | undefined} answeredAt when they came
 * @property {{ error: string, nextTryAt: number } | undefined} silence nobody answers, and since it is so the answers are old
 * @property {{ startedAt: string } | undefined} restart another process answers than the one before
 */

export const POLL_MS = 2_000;
const LONGEST_PAUSE_MS = 10_000;

/**
 * @param {object} options
 * @param {() => Promise<Answers>} options.read
 * @param {() => number} options.now
 * @param {(known: Known) => void} options.publish
 * @param {(run: () => void, ms: number) => unknown} [options.later]
 */
export function createStore({ read, now, publish, later = setTimeout }) {
  /** @type {Known} */
  let known = { answers: undefined, answeredAt: undefined, silence: undefined, restart: undefined };
  let failures = 0;
  let round = 0;
  let isPaused = false;

  /** @param {Partial<Known>} changes */
  const change = (changes) => {
    known = { ...known, ...changes };
    publish(known);
  };

  const ask = async () => {
    const mine = ++round;
    /** @type {Partial<Known>} */
    let changes;
    let pause = POLL_MS;
    try {
      const answers = await read();
      failures = 0;
      changes = { answers, answeredAt: now(), silence: undefined, restart: restartSeen(known, answers) };
    } catch (error) {
      pause = Math.min(POLL_MS * 2 ** failures++, LONGEST_PAUSE_MS);
      changes = { silence: { error: String(error), nextTryAt: now() + pause } };
    }
    // A later round has taken over: its window or its filter is another one.
    if (mine !== round) return;
    change(changes);
    later(() => {
      if (mine === round && !isPaused) void ask();
    }, pause);
  };

  return {
    /** Asks now, whatever was planned. */
    ask,
    /** @param {boolean} paused */
    pause(paused) {
      if (isPaused === paused) return;
      isPaused = paused;
      if (!paused) void ask();
    },
    forgetRestart: () => change({ restart: undefined }),
  };
}

/**
 * @param {Known} known
 * @param {Answers} answers
 */
function restartSeen({ answers: before, restart }, { info }) {
  if (!info.ok || before === undefined || !before.info.ok || before.info.value.id === info.value.id) return restart;
  return { startedAt: info.value.startedAt };
}
