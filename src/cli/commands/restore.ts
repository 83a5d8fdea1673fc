import { describeStoreFailure } from "../../stores/credential_store.ts";
import type { RegistryRef } from "../../cargo/registries.ts";
import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { command, option } from "@optique/core/primitives";
import { type Reason, storeReason } from "../../tokens/reason.ts";
import { restoreToken } from "../../tokens/restore.ts";
import { pin } from "../../state/pins.ts";
import type { Run } from "../command.ts";
import { findElsewhere } from "../elsewhere.ts";
import { dryRun, examples, json, registry } from "../options.ts";
import {
  leadsTo,
  meaningOf,
  type NameMeaning,
  ownNames,
  ownRegistries,
} from "../../tokens/names.ts";
import { exitStatus, report, resultOf, type Verdict } from "../report.ts";
import {
  type CommandSession,
  SessionError,
  type StorePlace,
} from "../session.ts";

const options = object({
  registry,
  keepStore: option("--keep-store", {
    description: message`Leave the tokens in the store as well`,
  }),
  dryRun,
  json,
});

/** What `restore` was asked to do. */
export type RestoreArguments = InferValue<typeof options>;

export const parser = map(
  command("restore", options, {
    brief:
      message`Put stored tokens back into cargo's credentials file, in plaintext`,
    description:
      message`Writes tokens from the credential store into cargo's credentials file, in plaintext, under the names that your own configuration has for their registries, and takes them out of the store. They stay in the file until ${
        commandLine("migrate --registry NAME")
      } or a new login.`,
    footer: examples("restore --dry-run", "restore --registry my-registry"),
  }),
  (args): Run => (session) => run(args, session),
);

/** Puts stored tokens back into cargo's credentials file. */
export async function run(
  args: RestoreArguments,
  session: CommandSession,
): Promise<number> {
  const file = await session.path();
  const candidates = args.registry.length > 0
    ? await named(args.registry, session)
    : await stored(args, session);
  const isRestorable = candidates.some(({ reason }) => reason === undefined);
  if (isRestorable && !args.dryRun) {
    session.output.printError(
      `warning: these tokens will be in PLAINTEXT in ${file}, readable by ` +
        "every program of yours and in every backup",
    );
  }
  const results = candidates.flatMap(({ name, indexUrl, reason, store }) =>
    reason === undefined
      ? []
      : resultOf(name, indexUrl, ["skipped", reason], { store, file })
  );
  for (const { name, indexUrl, reason } of candidates) {
    if (reason !== undefined || indexUrl === null) continue;
    const ref = { name, indexUrl };
    const place = await session.storeOf(ref, mayAsk(args));
    const verdict = await restoreOne(ref, place, args, session);
    const store = place.store.title;
    results.push(resultOf(name, indexUrl, verdict, { store, file }));
  }
  report(results, args.json, session.output);
  const { scoped } = await session.state();
  if (!args.json && scoped.length > 0) {
    session.output.printError(
      "note: tokens with scopes stay in the store: cargo's file has no place " +
        "for them",
    );
  }
  return exitStatus(results);
}

function mayAsk(args: RestoreArguments): boolean {
  return !args.json && !args.dryRun;
}

/** A registry whose token is to be restored. */
interface Candidate {
  /** Its name; its URL if nothing has a name for it. */
  readonly name: string;
  readonly indexUrl: string | null;
  /** The store's name in a sentence. */
  readonly store: string;
  /** Why its token cannot be; `undefined`: it can. */
  readonly reason: Reason | undefined;
}

/** What the user's own configuration has these names for. */
async function named(
  names: readonly string[],
  session: CommandSession,
): Promise<Candidate[]> {
  const layers = await session.config();
  return names.map((name) => {
    const meaning = meaningOf(layers, session.cwd(), name);
    return {
      name,
      indexUrl: meaning.kind === "none" ? null : meaning.indexUrl,
      store: "the store",
      reason: obstacleTo(meaning),
    };
  });
}

/** Why no token can be filed under a name; `undefined`: one can. */
function obstacleTo(meaning: NameMeaning): Reason | undefined {
  switch (meaning.kind) {
    case "none":
      return { code: "no-index" };
    case "project":
      return { code: "bound-by-project", detail: meaning.indexUrl };
    case "own": {
      const { otherwise, reboundTo } = meaning;
      if (otherwise !== undefined) {
        const { url, where } = otherwise;
        return { code: "bound-otherwise", detail: `${url}, too (${where})` };
      }
      return reboundTo === undefined
        ? undefined
        : { code: "rebound", detail: reboundTo };
    }
  }
}

/** Every item of the stores, by the name that the user has for it. */
async function stored(
  args: RestoreArguments,
  session: CommandSession,
): Promise<Candidate[]> {
  const layers = await session.config();
  const cwd = session.cwd();
  const found: Candidate[] = [];
  for (const place of await storesOf(args, session)) {
    for (const indexUrl of await listItems(place, session)) {
      const [name] = ownNames(layers, cwd, indexUrl);
      found.push({
        name: name ?? indexUrl,
        indexUrl,
        store: place.store.title,
        reason: name === undefined
          ? { code: "no-name", detail: indexUrl }
          : obstacleTo(meaningOf(layers, cwd, name)),
      });
    }
  }
  return found;
}

/** The stores of all the registries that the user has, each once. */
async function storesOf(
  args: RestoreArguments,
  session: CommandSession,
): Promise<StorePlace[]> {
  const places = new Map<string, StorePlace>();
  const layers = await session.config();
  for (const registry of ownRegistries(layers, session.cwd())) {
    const place = await session.storeOf(registry, mayAsk(args));
    if (!places.has(place.store.name)) places.set(place.store.name, place);
  }
  return [...places.values()];
}

async function listItems(
  place: StorePlace,
  session: CommandSession,
): Promise<string[]> {
  const failure = await session.open(place);
  if (failure !== undefined) {
    throw new SessionError(describeStoreFailure(failure));
  }
  const listed = await place.store.list({ signal: place.deadline() });
  if (listed.kind !== "items") {
    throw new SessionError(describeStoreFailure(listed));
  }
  return listed.items.map(({ indexUrl }) => indexUrl);
}

async function restoreOne(
  ref: Required<RegistryRef>,
  place: StorePlace,
  { dryRun, keepStore }: RestoreArguments,
  session: CommandSession,
): Promise<Verdict> {
  const { name, indexUrl } = ref;
  const { registry, settings: { fallback }, store, deadline } = place;
  if (fallback !== "file") {
    return ["failed", { code: "fallback", detail: fallback }];
  }
  const stored = await session.get(place);
  if (stored.kind === "absent") {
    const detail = await findElsewhere(name, place, session);
    return ["skipped", { code: "nothing-stored", detail }];
  }
  if (stored.kind !== "found") return ["failed", storeReason(stored)];
  stored.token.wipe();
  if (dryRun) return ["would-restore", { code: "restored" }];

  const { table } = await registry.plaintext();
  if (table === undefined) return ["skipped", { code: "no-index" }];
  const outcome = await restoreToken(await session.path(), table, store, ref, {
    signal: deadline(),
    keepStore,
    pin: () => session.remember((state) => pin(state, indexUrl)),
    readBack: async () =>
      leadsTo(await session.readConfig(), session.cwd(), name, indexUrl)
        ? await registry.readBack()
        : "leads-elsewhere",
  });
  switch (outcome.kind) {
    case "restored":
      return ["restored", { code: "restored" }];
    case "written":
      return outcome.reason === undefined
        ? ["restored", { code: "kept-stored" }]
        : ["failed", outcome.reason];
    case "absent":
      return ["skipped", { code: "nothing-stored" }];
    case "conflict":
      return ["conflict", { code: "different-tokens" }];
    case "failed":
      return ["failed", outcome.reason];
  }
}
