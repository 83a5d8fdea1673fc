import { describeStoreFailure } from "../../stores/credential_store.ts";
import type { RegistryRef } from "../../cargo/registries.ts";
import { object } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { command, option } from "@optique/core/primitives";
import { type Reason, storeReason } from "../../tokens/reason.ts";
import { restoreToken } from "../../tokens/restore.ts";
import { pin } from "../../state/pins.ts";
import type { Run } from "../command.ts";
import { findElsewhere } from "../elsewhere.ts";
import { dryRun, json, registry } from "../options.ts";
import {
  leadsTo,
  meaningOf,
  type NameMeaning,
  ownNames,
  ownRegistries,
} from "../../tokens/names.ts";
import { exitStatus, type RegistryResult, report } from "../report.ts";
import {
  type CommandSession,
  SessionError,
  type StorePlace,
} from "../session.ts";
import { describeReason } from "../words.ts";

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
    footer: message`Examples:${lineBreak()}  ${
      commandLine("cargo-credential-keyring restore --dry-run")
    }${lineBreak()}  ${
      commandLine("cargo-credential-keyring restore --registry my-registry")
    }`,
  }),
  (args): Run => (session) => run(args, session),
);

/** Puts stored tokens back into cargo's credentials file. */
export async function run(
  args: RestoreArguments,
  session: CommandSession,
): Promise<number> {
  const results: RegistryResult[] = [];
  const registries = args.registry.length > 0
    ? await byName(args, session, results)
    : await storedRegistries(args, session, results);
  const path = await session.path();
  if (registries.length > 0 && !args.dryRun) {
    session.output.printError(
      `warning: these tokens will be in PLAINTEXT in ${path}, readable by ` +
        "every program of yours and in every backup",
    );
  }
  for (const registry of registries) {
    results.push(await restoreOne(registry, args, session));
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

/** What the user's own configuration has these names for. */
async function byName(
  args: RestoreArguments,
  session: CommandSession,
  results: RegistryResult[],
): Promise<Required<RegistryRef>[]> {
  const layers = await session.config();
  const file = await session.path();
  return args.registry.flatMap((name) => {
    const meaning = meaningOf(layers, session.cwd(), name);
    const reason = obstacleTo(meaning);
    if (reason === undefined && meaning.kind === "own") {
      return [{ name, indexUrl: meaning.indexUrl }];
    }
    if (reason !== undefined) {
      results.push({
        registry: name,
        indexUrl: meaning.kind === "none" ? null : meaning.indexUrl,
        outcome: "skipped",
        reason,
        message: describeReason(reason, { name, store: "the store", file }),
      });
    }
    return [];
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

/** Every item of the stores that the user's own configuration has a name for. */
async function storedRegistries(
  args: RestoreArguments,
  session: CommandSession,
  results: RegistryResult[],
): Promise<Required<RegistryRef>[]> {
  const layers = await session.config();
  const cwd = session.cwd();
  const file = await session.path();
  const found: Required<RegistryRef>[] = [];
  for (const place of await storesOf(args, session)) {
    for (const indexUrl of await listItems(place, session)) {
      const [name] = ownNames(layers, cwd, indexUrl);
      const meaning = name === undefined
        ? undefined
        : meaningOf(layers, cwd, name);
      const reason: Reason | undefined = meaning === undefined
        ? { code: "no-name", detail: indexUrl }
        : obstacleTo(meaning);
      if (name !== undefined && reason === undefined) {
        found.push({ name, indexUrl });
      } else if (reason !== undefined) {
        const registry = name ?? indexUrl;
        const about = { name: registry, store: place.store.title, file };
        results.push({
          registry,
          indexUrl,
          outcome: "skipped",
          reason,
          message: describeReason(reason, about),
        });
      }
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
  if (place.mayPrompt) {
    const prepared = await session.prepare(place);
    // What is in other collections can be restored without a default one.
    if (
      prepared.kind !== "ready" && prepared.cause !== "no-default-collection"
    ) {
      throw new SessionError(describeStoreFailure(prepared));
    }
  }
  const listed = await place.store.list({ signal: place.deadline() });
  if (listed.kind !== "items") {
    throw new SessionError(describeStoreFailure(listed));
  }
  return listed.items.map(({ indexUrl }) => indexUrl);
}

async function restoreOne(
  ref: Required<RegistryRef>,
  args: RestoreArguments,
  session: CommandSession,
): Promise<RegistryResult> {
  const { name, indexUrl } = ref;
  const place = await session.storeOf(ref, mayAsk(args));
  const { registry, settings, store, deadline } = place;
  const path = await session.path();
  const result = (
    outcome: RegistryResult["outcome"],
    reason: Reason,
  ): RegistryResult => ({
    registry: name,
    indexUrl,
    outcome,
    reason,
    message: describeReason(reason, { name, store: store.title, file: path }),
  });
  if (settings.fallback !== "file") {
    return result("failed", { code: "fallback", detail: settings.fallback });
  }
  const stored = await session.get(place);
  if (stored.kind === "absent") {
    const detail = await findElsewhere(name, place, session);
    return result("skipped", { code: "nothing-stored", detail });
  }
  if (stored.kind !== "found") return result("failed", storeReason(stored));
  stored.token.wipe();
  if (args.dryRun) return result("would-restore", { code: "restored" });

  const { table } = await registry.plaintext();
  if (table === undefined) return result("skipped", { code: "no-index" });
  const outcome = await restoreToken(path, table, store, ref, {
    signal: deadline(),
    keepStore: args.keepStore,
    pin: () => session.remember((state) => pin(state, indexUrl)),
    readBack: async () =>
      leadsTo(await session.readConfig(), session.cwd(), name, indexUrl)
        ? await registry.readBack()
        : "leads-elsewhere",
  });
  switch (outcome.kind) {
    case "restored":
      return result("restored", { code: "restored" });
    case "written":
      return outcome.reason === undefined
        ? result("restored", { code: "kept-stored" })
        : result("failed", outcome.reason);
    case "absent":
      return result("skipped", { code: "nothing-stored" });
    case "conflict":
      return result("conflict", { code: "different-tokens" });
    case "failed":
      return result("failed", outcome.reason);
  }
}
