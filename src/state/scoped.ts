import { sameRegistry } from "../cargo/spellings.ts";
import { isMemorable, type State } from "./state.ts";

/**
 * Whether a registry is known to have scoped tokens, by any spelling of its
 * URL: then a request takes a look for them. The tokens do not depend on it.
 */
export function hasScoped(state: State, indexUrl: string): boolean {
  return state.scoped.some((url) => sameRegistry(url, indexUrl));
}

/** Remembers that a registry has scoped tokens. */
export function addScoped(state: State, indexUrl: string): State {
  return hasScoped(state, indexUrl) || !isMemorable(indexUrl)
    ? state
    : { ...state, scoped: [...state.scoped, indexUrl] };
}

/** Forgets it: the last one is gone. */
export function removeScoped(state: State, indexUrl: string): State {
  const scoped = state.scoped.filter((url) => !sameRegistry(url, indexUrl));
  return scoped.length === state.scoped.length ? state : { ...state, scoped };
}
