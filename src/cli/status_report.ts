import { bold, dim, green, red, yellow } from "@std/fmt/colors";
import { printable } from "../base/printable.ts";
import { isWindowsProgram } from "../cargo/provider_chain.ts";
import { CRATES_IO_NAME, type RegistryRef } from "../cargo/registries.ts";
import { describeTokenFileFault } from "../cargo/token_file.ts";
import type { Cell } from "../terminal/columns.ts";
import { describeGrant, expiryOf, type Grant } from "../tokens/scoped.ts";
import type {
  Inventory,
  RegistryView,
  StoreView,
} from "../tokens/inventory.ts";

/** What is to be done about a registry's token. */
export type StepCode =
  | "rebound"
  | "no-index"
  | "environment-empty"
  | "environment-file"
  | "conflict"
  | "file-unusable"
  | "setup"
  | "migrate"
  | "in-config"
  | "store"
  | "login"
  | "adopt";

/** A {@linkcode StepCode} in words, without a final stop. */
export interface Step {
  readonly code: StepCode;
  readonly message: string;
}

/** `undefined`: all is well. */
function nextStep(
  registry: RegistryView,
  { path }: Inventory,
): Step | undefined {
  const { name, environment, rebinding, reach } = registry;
  const step = (code: StepCode, message: string): Step => ({ code, message });
  const hasToken = registry.store === true || registry.file === true;
  if (rebinding !== "none" && registry.answer !== "token") {
    return step(
      "rebound",
      rebinding.userUrl === undefined
        ? `${rebinding.where} cannot be read, and may bind the name elsewhere`
        : `${rebinding.where} binds the name to another URL than your own ` +
          "configuration does; run cargo in another directory",
    );
  }
  if (registry.indexUrl === undefined) {
    return step(
      "no-index",
      `nothing binds the name to an index URL; ${
        command("migrate", name, "--index URL")
      } says which registry its token is for`,
    );
  }
  if (environment.kind === "empty") {
    return step(
      "environment-empty",
      `unset ${environment.variable}, which is set to nothing`,
    );
  }
  if (environment.kind === "unusable") {
    const { variable, path, fault } = environment;
    return step(
      "environment-file",
      `${variable} names ${path}, which ${describeTokenFileFault(fault)}`,
    );
  }
  if (registry.conflict) {
    return step(
      "conflict",
      `${command("migrate", name, "--prefer file")} or \`--prefer store\` ` +
        "says which one to keep",
    );
  }
  if (registry.file === undefined) {
    return step("file-unusable", `${path} cannot be read; \`doctor\` says why`);
  }
  const [asked] = registry.providers;
  // In WSL: that one keeps the tokens, and this one is not to be set up again.
  if (asked !== undefined && isWindowsProgram(asked)) return undefined;
  if (reach.kind === "not-listed" && (hasToken || registry.answer === "none")) {
    return step(
      "setup",
      "cargo does not ask this program for it; " +
        "`cargo-credential-keyring setup` lists it",
    );
  }
  if (registry.failure !== undefined && environment.kind === "none") {
    return step("store", registry.failure.remedy.replace(/\.$/, ""));
  }
  if (registry.file && !registry.pinned) {
    return step(
      "migrate",
      `${command("migrate", name)} moves it into the store`,
    );
  }
  const [inConfig] = registry.configs;
  if (inConfig !== undefined) {
    return step(
      "in-config",
      `take the token out of ${inConfig.table} in ${inConfig.path} by hand`,
    );
  }
  if (registry.answer === "none") {
    return step(
      "login",
      name === CRATES_IO_NAME
        ? "`cargo login` stores one"
        : `\`cargo login --registry ${name}\` stores one`,
    );
  }
  return undefined;
}

function command(verb: string, name: string, ...more: string[]): string {
  return `\`${
    ["cargo-credential-keyring", verb, "--registry", name, ...more].join(" ")
  }\``;
}

/** What is said of an item that no name leads to. */
function adoption({ indexUrl, name }: RegistryRef): Step {
  return {
    code: "adopt",
    message: "no name leads to it; if one should: " +
      command("migrate", name ?? "NAME", `--from ${indexUrl}`),
  };
}

/** The rows of the report for people, with those of the store last. */
export function statusRows(overview: Inventory): (readonly Cell[])[] {
  const { registries, orphans, store } = overview;
  const title = (text: string): Cell => ({ text, style: bold });
  return [
    [
      title("Registry"),
      title("Token"),
      title("Asked"),
      title("What to do next"),
    ],
    ...registries.map((registry): readonly Cell[] => [
      withUrl(registry),
      tokenCell(registry, overview),
      registry.providers.map(({ program }) => program).join(", "),
      nextStep(registry, overview)?.message ?? "",
    ]),
    ...orphans.map((item): readonly Cell[] => [
      item.indexUrl,
      { text: store.title, style: green },
      "",
      adoption(item).message,
    ]),
  ];
}

/** The line about the store. */
export function storeLine({ title, state, unreadable }: StoreView): string {
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}: ` +
    (unreadable === undefined
      ? state
      : `${state} (${unreadable.reason}). ${unreadable.remedy}`);
}

function withUrl({ name, indexUrl }: RegistryView): string {
  return indexUrl === undefined || name === CRATES_IO_NAME
    ? name
    : `${name} (${indexUrl})`;
}

function tokenCell(registry: RegistryView, { store, path }: Inventory): Cell {
  const { environment } = registry;
  const places = [
    ...(environment.kind === "token"
      ? [environment.file?.path ?? environment.variable]
      : []),
    ...(registry.store === true ? [store.title] : []),
    ...(registry.file === true
      ? [registry.pinned ? `${path} (as you chose)` : path]
      : []),
    ...registry.configs.map((token) => token.path),
    ...registry.scoped.map((grant) => `${store.title} (${describe(grant)})`),
  ];
  const unknown = registry.store === undefined
    ? [`${store.title} (${registry.failure?.kind ?? "not known"})`]
    : [];
  if (places.length === 0) {
    return {
      text: unknown[0] ?? "none",
      style: unknown.length > 0 ? yellow : dim,
    };
  }
  const text = [...places, ...unknown].join(", ") +
    (registry.conflict ? ": different ones" : "");
  const isPlain = registry.configs.length > 0 ||
    registry.file === true && !registry.pinned;
  return { text, style: registry.conflict ? red : isPlain ? yellow : green };
}

function describe(grant: Grant): string {
  const isOver = expiryOf(grant, Date.now()) === "expired";
  return describeGrant(grant) + (isOver ? ": expired" : "");
}

/** The report as an object whose keys docs/json.md describes. */
export function statusJson(overview: Inventory): unknown {
  const { store, registries, orphans, path } = overview;
  const message = (step: Step | undefined): string | null =>
    step === undefined ? null : printable(step.message);
  return {
    store: storeJson(store),
    registries: [
      ...registries.map((registry) => {
        const { environment } = registry;
        const step = nextStep(registry, overview);
        return {
          name: registry.name,
          index_url: registry.indexUrl ?? null,
          env: environment.kind === "token",
          secret_file: environment.kind === "token"
            ? environment.file?.path ?? null
            : null,
          store: registry.store ?? null,
          file: registry.file === true ? path : null,
          config: registry.configs.map((token) => token.path),
          scoped: registry.scoped.map(({ scopes, crates, expires }) => ({
            scopes,
            crates,
            expires: expires ?? null,
          })),
          conflict: registry.conflict,
          pinned: registry.pinned,
          providers: registry.providers.map(({ program }) => program),
          asks_us: registry.reach.kind === "listed",
          next: step?.code ?? null,
          message: message(step),
        };
      }),
      ...orphans.map((item) => {
        const step = adoption(item);
        return {
          name: null,
          index_url: item.indexUrl,
          env: false,
          secret_file: null,
          store: true,
          file: null,
          config: [],
          scoped: [],
          conflict: false,
          pinned: false,
          providers: [],
          asks_us: false,
          next: step.code,
          message: message(step),
        };
      }),
    ],
  };
}

/** The store of a report; `reason` is `null` where it is available. */
export function storeJson(
  { name, state, unreadable }: StoreView,
): Record<"name" | "state" | "reason", string | null> {
  return {
    name,
    state,
    reason: unreadable === undefined ? null : printable(unreadable.reason),
  };
}
