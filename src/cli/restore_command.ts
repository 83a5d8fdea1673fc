import { credentialsTables } from "../credentials/file.ts";
import { CRATES_IO_INDEX, CRATES_IO_NAME } from "../cargo/registries.ts";
import { registryNames } from "../cargo/registry_index.ts";
import { restoreToken } from "../migration/restore.ts";
import { pin } from "../migration/state.ts";
import { printError } from "../base/print.ts";
import { printable } from "../base/printable.ts";
import type { ParsedCommand } from "./commands.ts";
import { exitStatus, type RegistryResult, report } from "./report.ts";
import { type NamedRegistry, Workplace, WorkplaceError } from "./workplace.ts";

type RestoreCommand = Extract<ParsedCommand, { command: "restore" }>;

/**
 * `restore`: puts stored tokens back into cargo's credentials file.
 *
 * @param command The command line.
 * @returns The exit status.
 */
export async function restoreCommand(command: RestoreCommand): Promise<number> {
  try {
    const place = await Workplace.open();
    const results: RegistryResult[] = [];
    const registries = command.registry.length > 0
      ? byName(command.registry, place, results)
      : await storedRegistries(place, results);
    if (registries.length > 0 && !command.dryRun) {
      printError(
        "warning: these tokens will lie in PLAINTEXT in " +
          `${printable(place.path)}, readable by every program of yours ` +
          "and in every backup",
      );
    }
    for (const registry of registries) {
      results.push(await restoreOne(registry, command, place));
    }
    report(results, command.json);
    return exitStatus(results, command.registry.length > 0);
  } catch (error) {
    if (!(error instanceof WorkplaceError)) throw error;
    printError(`error: ${error.message}`);
    return 1;
  }
}

function byName(
  names: readonly string[],
  place: Workplace,
  results: RegistryResult[],
): NamedRegistry[] {
  return names.flatMap((name) => {
    const indexUrl = place.indexOf(name);
    if (indexUrl !== undefined) return [{ name, indexUrl }];
    results.push({
      registry: name,
      indexUrl: null,
      outcome: "skipped",
      reason: "no configuration binds the name to an index",
    });
    return [];
  });
}

/** Every item of the store that a configuration has a name for. */
async function storedRegistries(
  place: Workplace,
  results: RegistryResult[],
): Promise<NamedRegistry[]> {
  const { store, signal } = await place.storeOf(CRATES_IO_INDEX, false);
  const listed = await store.list({ signal });
  if (listed.kind !== "items") {
    throw new WorkplaceError(`${listed.reason}. ${listed.remedy}`);
  }
  return listed.items.flatMap(({ indexUrl }) => {
    const name = indexUrl === CRATES_IO_INDEX
      ? CRATES_IO_NAME
      : registryNames(place.layers, indexUrl)[0];
    if (name !== undefined) return [{ name, indexUrl }];
    results.push({
      registry: indexUrl,
      indexUrl,
      outcome: "skipped",
      reason: "no configuration names a registry with this index",
    });
    return [];
  });
}

async function restoreOne(
  { name, indexUrl }: NamedRegistry,
  command: RestoreCommand,
  place: Workplace,
): Promise<RegistryResult> {
  const result = (
    outcome: RegistryResult["outcome"],
    reason?: string,
  ): RegistryResult => ({
    registry: name,
    indexUrl,
    outcome,
    ...(reason === undefined ? {} : { reason }),
  });
  const prompt = !command.json && !command.dryRun;
  const { settings, store, signal, mayPrompt } = await place.storeOf(
    indexUrl,
    prompt,
  );
  if (settings.fallback !== "file") {
    return result(
      "failed",
      `\`fallback = "${settings.fallback}"\` allows no token in the file`,
    );
  }
  const [table] = await credentialsTables(
    place.env,
    { name, indexUrl },
    () => Promise.resolve(place.layers),
  );
  if (table === undefined) return result("skipped", "it has no place there");
  const key = { indexUrl, registryName: name };
  if (command.dryRun) {
    const stored = await store.get(key, { signal });
    if (stored.kind === "absent") return result("skipped", "nothing is stored");
    if (stored.kind !== "found") {
      return result("failed", `${stored.reason}. ${stored.remedy}`);
    }
    stored.token.wipe();
    return result("would-restore", `to ${printable(place.path)}`);
  }
  if (mayPrompt) {
    const ready = await store.prepare({ signal, prompt: true });
    if (ready.kind !== "ready") {
      return result("failed", `${ready.reason}. ${ready.remedy}`);
    }
  }
  const outcome = await restoreToken(place.path, table, store, key, {
    signal,
    keepStore: command.keepStore,
    pin: () => place.remember((state) => pin(state, indexUrl)),
  });
  switch (outcome.kind) {
    case "restored":
      return result("restored", `to ${printable(place.path)}`);
    case "written":
      return outcome.reason === undefined
        ? result("restored", `${store.title} keeps it as well`)
        : result(
          "failed",
          `it was written to the file, and ${store.title} still has it: ` +
            outcome.reason,
        );
    case "absent":
      return result("skipped", "nothing is stored");
    case "conflict":
      return result(
        "conflict",
        "the file holds a different token; `migrate --prefer file` or " +
          "`migrate --prefer store` says which one to keep",
      );
    case "failed":
      return result("failed", outcome.reason);
  }
}
