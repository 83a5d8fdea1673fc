import type { ConfigLayers } from "./config.ts";
import {
  CRATES_IO_INDEX,
  environmentName,
  type RegistryRef,
} from "./registries.ts";
import {
  boundNames,
  configuredNames,
  indexBindings,
  userIndexes,
} from "./registry_index.ts";
import { sameRegistry } from "./spellings.ts";

/** A name of the user's that somebody else has bound to another URL. */
export interface Rebinding {
  /**
   * The registry's name: the user's token is filed under it. `undefined`: any
   * name, since a file that cannot be read may bind it.
   */
  readonly name: string | undefined;
  /**
   * The URL that the user's own configuration binds it to; `undefined` where
   * nobody can tell, since a file cannot be read.
   */
  readonly userUrl: string | undefined;
  /** The URL of the request. */
  readonly projectUrl: string;
  /**
   * Who binds it to that, a configuration file or the command line; without a
   * `userUrl` the file that cannot be read.
   */
  readonly where: string;
}

/**
 * Finds out whether a request may be for a URL that the user never bound the
 * name to. Cargo files tokens by name, and a checkout's `.cargo/config.toml`
 * may bind a name of the user's to a URL of its own. `my-reg`, `my_reg` and
 * `my.reg` are one name here: the environment has one variable for them.
 *
 * None is a name that only a project binds, or a URL that cargo takes for the
 * same registry (but `http` is not as good as `https`), or crates.io's, whose
 * token has no name. A common host proves nothing: many share github.com.
 *
 * A file that cannot be read may bind any name: where the answer depends on
 * it, that is a rebinding, too.
 */
export function findRebinding(
  layers: ConfigLayers,
  cwd: string,
  request: RegistryRef,
): Rebinding | "none" {
  const { indexUrl } = request;
  if (indexUrl === CRATES_IO_INDEX) return "none";
  const bound = boundNames(layers, indexUrl);
  const names = new Set(bound);
  if (request.name !== undefined) names.add(request.name);
  let isUsers = false;
  for (const name of names) {
    const own = spellingsOf(layers, name).flatMap((spelling) =>
      userIndexes(layers, cwd, spelling)
    );
    if (own.some((binding) => isSame(binding.url, indexUrl))) {
      isUsers = true;
      continue;
    }
    const [strongest] = own;
    if (strongest === undefined) continue;
    // By its name, cargo has found the URL in the strongest binding.
    const bindings = indexBindings(layers, cwd, name);
    const binding = bindings
      .slice(0, request.name === undefined ? bindings.length : 1)
      .find(({ url }) => isSame(url, indexUrl));
    return {
      name,
      userUrl: strongest.url,
      projectUrl: indexUrl,
      where: binding?.where ?? "the command line",
    };
  }
  if (isUsers) return "none";
  const unread = findUnread(layers, bound.length > 0, request);
  return unread === undefined ? "none" : {
    name: bound[0] ?? request.name,
    userUrl: undefined,
    projectUrl: indexUrl,
    where: unread,
  };
}

/** The unread file on which it depends whose URL this is, if there is one. */
function findUnread(
  { problems }: ConfigLayers,
  isBound: boolean,
  { name }: RegistryRef,
): string | undefined {
  const [user, project] = (["user", "project"] as const).map((layer) =>
    problems.find((problem) =>
      problem.layer === layer &&
      // Cargo itself ends there.
      problem.reason !== "missing" && problem.reason !== "include-cycle"
    )?.path
  );
  // A project binds the name to this URL, and the user may bind it elsewhere.
  if (isBound) return user;
  // A project may bind any name to a URL that nobody is seen to bind.
  if (name === undefined) return project;
  // The user binds the name, or else a project alone does.
  return user === undefined ? undefined : project;
}

/** A configured name with others whose token is in the same variable. */
function spellingsOf(layers: ConfigLayers, name: string): string[] {
  const others = configuredNames(layers).filter((other) =>
    other !== name && environmentName(other) === environmentName(name)
  );
  return [name, ...others];
}

/** As cargo compares, but `http` is not as good as `https`. */
function isSame(one: string, other: string): boolean {
  return sameRegistry(one, other) &&
    URL.parse(one)?.protocol === URL.parse(other)?.protocol;
}
