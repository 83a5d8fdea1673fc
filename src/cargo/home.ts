import { joinPath, PATH_STYLE, type PathStyle } from "../base/paths.ts";

/** Environment variables, by name. */
export type Environment = Readonly<Record<string, string>>;

/** What {@linkcode cargoHome} may know besides the environment. */
export interface CargoHomeOptions {
  /**
   * The user's home directory by the operating system (the passwd database,
   * the Windows profile): used where no variable names one.
   */
  readonly systemHome?: string | undefined;
  /**
   * How paths are written.
   *
   * @default {PATH_STYLE}
   */
  readonly style?: PathStyle;
}

/**
 * Finds cargo's home as cargo does (`env.rs` and `windows.rs` of its crate
 * `home`): `CARGO_HOME` unless it is empty, relative to the current
 * directory; else `.cargo` in `HOME` (on Windows in `USERPROFILE` unless it is
 * empty), else in the home that the system knows.
 *
 * Returns the directory, whether it exists or not; `undefined` if nothing names
 * a home.
 */
export function cargoHome(
  environment: Environment,
  cwd: string,
  options: CargoHomeOptions = {},
): string | undefined {
  const { systemHome, style = PATH_STYLE } = options;
  const own = environment["CARGO_HOME"];
  if (own !== undefined && own !== "") {
    return joinPath(cwd, own, style);
  }
  const home = userHome(environment, style) ?? systemHome;
  if (home === undefined) return undefined;
  return joinPath(joinPath(cwd, home, style), ".cargo", style);
}

function userHome(
  environment: Environment,
  style: PathStyle,
): string | undefined {
  if (style === "unix") return environment["HOME"];
  const profile = environment["USERPROFILE"];
  return profile === "" ? undefined : profile;
}

/** The current directory; `.` where its name is no text, or it is gone. */
export function currentDirectory(): string {
  try {
    return Deno.cwd();
  } catch {
    return ".";
  }
}

/**
 * Why nothing of cargo's home can be read here although cargo may read it:
 * Deno knows no path that is not Unicode, and with this program's permissions
 * opens nothing below `/dev`, `/proc` and `/sys`.
 *
 * Returns a clause; `undefined` if the home can be read.
 */
export function unreadableHome(
  environment: Environment,
  home: string | undefined,
): string | undefined {
  const variables = environment["CARGO_HOME"]
    ? []
    : ["CARGO_HOME", PATH_STYLE === "unix" ? "HOME" : "USERPROFILE"];
  const odd = variables.find((name) => !isText(name));
  if (odd !== undefined) {
    return `cargo's home cannot be used: \`${odd}\` is not Unicode text`;
  }
  if (home === undefined || !isOutOfReach(home)) return undefined;
  return `cargo's home ${home} cannot be used: this program may not read ` +
    "what is below /dev, /proc and /sys";
}

/** Whether a variable is unset or Unicode; others are not in the environment. */
function isText(variable: string): boolean {
  try {
    Deno.env.get(variable);
    return true;
  } catch {
    return false;
  }
}

/** Whether Deno refuses a path, whatever the system says. */
export function isOutOfReach(path: string): boolean {
  try {
    // A link to there can be looked at, but what is behind it not be opened.
    return /^\/(?:dev|proc|sys)(?:\/|$)/.test(Deno.realPathSync(path));
  } catch (error) {
    return error instanceof Deno.errors.NotCapable;
  }
}
