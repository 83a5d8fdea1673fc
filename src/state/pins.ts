import { isMemorable, type State } from "./state.ts";

/**
 * Whether the token of an index URL stays in the file: the user has put it
 * there, or nothing is remembered of that URL.
 */
export function isPinned(state: State, indexUrl: string): boolean {
  return !isMemorable(indexUrl) || state.pins.includes(indexUrl);
}

/**
 * Pins an index URL: before the file is written, so that no read in between
 * undoes it.
 */
export function pin(state: State, indexUrl: string): State {
  return isPinned(state, indexUrl)
    ? state
    : { ...state, pins: [...state.pins, indexUrl] };
}

/** Takes the pin away: a new login, or the user moves the token by hand. */
export function unpin(state: State, indexUrl: string): State {
  return state.pins.includes(indexUrl)
    ? { ...state, pins: state.pins.filter((pinned) => pinned !== indexUrl) }
    : state;
}
