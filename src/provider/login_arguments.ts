import {
  CRATE_PATTERN,
  dayAfter,
  type Grant,
  isDate,
  SCOPES,
} from "../tokens/scoped.ts";

/** What `cargo login -- ARGUMENTS` asks for. */
export type LoginArguments =
  /** The registry's own token. */
  | { readonly kind: "own" }
  /** In the words of RFC 3981: move the token that the file has. */
  | { readonly kind: "migrate" }
  /** A token beside the registry's own. */
  | { readonly kind: "scoped"; readonly grant: Grant }
  /** None of it; what was typed is not kept, it may be a token. */
  | { readonly kind: "wrong"; readonly fault: ArgumentFault };

/** What is wrong with the arguments: the usage, or an option's value. */
export type ArgumentFault =
  | "usage"
  | "trusted-publishing"
  | "scope"
  | "crate"
  | "expires";

const MIGRATE = "--migrate-to-keyring";

/** Nobody makes a token for longer. */
export const MAX_DAYS = 3_650;

/** Reads the arguments of `cargo login --`. */
export function parseLoginArguments(
  args: readonly string[],
  now: number,
): LoginArguments {
  const [first] = args;
  if (first === undefined) return { kind: "own" };
  if (first === MIGRATE && args.length === 1) return { kind: "migrate" };
  const options = readOptions(args);
  if (options === undefined) return wrong("usage");

  const scopes = options.get("--scope") ?? [];
  if (scopes.includes("trusted-publishing")) {
    return wrong("trusted-publishing");
  }
  if (!scopes.every((scope) => SCOPES.some((known) => known === scope))) {
    return wrong("scope");
  }
  const crates = [...new Set(options.get("--crate") ?? [])].sort();
  if (!crates.every((pattern) => CRATE_PATTERN.test(pattern))) {
    return wrong("crate");
  }
  const [expires, ...more] = options.get("--expires") ?? [];
  const day = expires === undefined ? undefined : parseDay(expires, now);
  if (more.length > 0 || (expires !== undefined && day === undefined)) {
    return wrong("expires");
  }
  return {
    kind: "scoped",
    grant: {
      // A token without any scope may do everything.
      scopes: scopes.length === 0
        ? SCOPES
        : SCOPES.filter((scope) => scopes.includes(scope)),
      crates: crates.includes("*") ? [] : crates,
      ...(day === undefined ? {} : { expires: day }),
    },
  };
}

function wrong(fault: ArgumentFault): LoginArguments {
  return { kind: "wrong", fault };
}

const OPTIONS = ["--scope", "--crate", "--expires"] as const;

/** The values of each option, split at commas; `undefined`: something else. */
function readOptions(
  args: readonly string[],
): ReadonlyMap<string, readonly string[]> | undefined {
  const found = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    const [name = "", ...inline] = (args[i] ?? "").split("=");
    if (!OPTIONS.some((option) => option === name)) return undefined;
    const value = inline.length > 0 ? inline.join("=") : args[++i];
    if (value === undefined || value === "") return undefined;
    found.set(name, [...found.get(name) ?? [], ...value.split(",")]);
  }
  return found;
}

function parseDay(text: string, now: number): string | undefined {
  if (/^\d{1,4}$/.test(text)) {
    const days = Number(text);
    return days > 0 && days <= MAX_DAYS ? dayAfter(now, days) : undefined;
  }
  return isDate(text) && text >= dayAfter(now, 0) ? text : undefined;
}
