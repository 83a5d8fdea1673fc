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
  /** Why none of it; what was typed is not repeated, it may be a token. */
  | { readonly kind: "wrong"; readonly message: string };

const MIGRATE = "--migrate-to-keyring";

const USAGE = "`cargo login --` takes `--migrate-to-keyring`, or " +
  "`--scope SCOPE,…`, `--crate PATTERN` and `--expires DATE|DAYS`; a token is " +
  "given on standard input: `cargo login < FILE`";

/** Nobody makes a token for longer. */
const MAX_DAYS = 3_650;

/** Reads the arguments of `cargo login --`. */
export function parseLoginArguments(
  args: readonly string[],
  now: number,
): LoginArguments {
  const [first] = args;
  if (first === undefined) return { kind: "own" };
  if (first === MIGRATE && args.length === 1) return { kind: "migrate" };
  const options = readOptions(args);
  if (options === undefined) return wrong(USAGE);

  const scopes = options.get("--scope") ?? [];
  if (scopes.includes("trusted-publishing")) {
    return wrong(
      "a token for `trusted-publishing` configures publishing from CI on the " +
        "website and its API; cargo never asks for one",
    );
  }
  if (!scopes.every((scope) => SCOPES.some((known) => known === scope))) {
    return wrong(`the scopes are ${SCOPES.join(", ")}`);
  }
  const crates = [...new Set(options.get("--crate") ?? [])].sort();
  if (!crates.every((pattern) => CRATE_PATTERN.test(pattern))) {
    return wrong(
      "`--crate` takes the name of a crate, or its beginning and `*`",
    );
  }
  const [expires, ...more] = options.get("--expires") ?? [];
  const day = expires === undefined ? undefined : parseDay(expires, now);
  if (more.length > 0 || (expires !== undefined && day === undefined)) {
    return wrong(
      "`--expires` takes a day to come, such as 2027-02-01, or a number of " +
        `days up to ${MAX_DAYS}`,
    );
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

function wrong(message: string): LoginArguments {
  return { kind: "wrong", message };
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
