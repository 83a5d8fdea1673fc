import { executablePath } from "../../base/executable.ts";
import { type ConfigLayers, valueAt } from "../../cargo/config.ts";
import { providerChain, reachesUs } from "../../cargo/provider_chain.ts";
import { CRATES_IO_INDEX, type RegistryRef } from "../../cargo/registries.ts";
import {
  describeStoreFailure,
  type StoreFailure,
} from "../../stores/credential_store.ts";
import { ownNames, ownRegistries } from "../../tokens/names.ts";
import { editToml } from "../../toml/edit.ts";
import { run as restore } from "../commands/restore.ts";
import type { SetupArguments } from "../commands/setup.ts";
import { gatherFacts } from "../../doctor/facts.ts";
import { jsonLine } from "../report.ts";
import type { CommandSession } from "../session.ts";
import { planConfig, showChange, writeChange } from "./config_file.ts";
import { askConsent } from "./consent.ts";
import { takeProvider } from "./provider_entry.ts";
import { PLATFORM_PROVIDERS } from "./set_up.ts";
import {
  type LeftToken,
  type ProgramResult,
  undoJson,
} from "./setup_report.ts";

const LIST = ["registry", "global-credential-providers"] as const;

/**
 * Takes the program out of cargo's configuration, and tells what then needs
 * it: tokens that only the store holds. The program's file is left; it is
 * named, so that the user can remove it.
 */
export async function undo(
  args: SetupArguments,
  session: CommandSession,
): Promise<number> {
  const { output } = session;
  const change = await planConfig(session, takeProvider);
  const isNamed = change.after !== change.before;
  if (!args.json) {
    if (isNamed) showChange(change, session);
    else output.print(`${change.path} does not name this program.`);
    if (args.dryRun || !isNamed) return 0;
  }
  const consent = isNamed || args.dryRun
    ? await askConsent(args, session)
    : "given";
  const { stored, failure } = await storedRegistries(session);
  if (consent === "given" && isNamed) await writeChange(change);
  const after = consent === "given"
    ? session.fresh()
    : session.planned(change.after);
  const layers = await after.config();
  const isReached = (ref: RegistryRef): boolean =>
    reachesUs(layers, ref).kind === "listed";
  const lost = stored.filter((ref) => !isReached(ref));
  if (args.json) {
    const left = failure === undefined
      ? lost.map((ref): LeftToken => {
        const [name = ref.name] = ownNames(layers, after.cwd(), ref.indexUrl);
        return {
          registry: name ?? ref.indexUrl,
          indexUrl: ref.indexUrl,
          foundBy: foundBy(layers, ref),
        };
      })
      : undefined;
    const facts = await gatherFacts(after);
    const program: ProgramResult = {
      path: executablePath() ?? "",
      outcome: "left",
    };
    output.print(jsonLine(undoJson({ program, change, consent, facts, left })));
    return consent === "needs-yes" ? 1 : 0;
  }
  const reached = ownRegistries(layers, after.cwd()).filter(isReached);
  // Setup was not the only one who named it.
  output.print(
    reached.length === 0
      ? "Cargo does not ask this program any more."
      : `Cargo still asks this program for ${namesOf(reached)}: what names ` +
        "it there is not from setup.",
  );
  if (failure !== undefined) {
    output.printError(
      "warning: the store may still hold tokens, which cargo does not find " +
        `then: ${describeStoreFailure(failure)}`,
    );
    return 0;
  }
  if (lost.length === 0) return 0;
  output.print(`The store still holds tokens of ${namesOf(lost)}.`);
  const status = await keepReachable(args, after);
  const program = executablePath();
  if (program !== undefined) output.print(`The program is still ${program}.`);
  return status;
}

/** Cargo's own provider for the system, if cargo asks it for a registry. */
function foundBy(layers: ConfigLayers, ref: RegistryRef): string | undefined {
  const own = PLATFORM_PROVIDERS[Deno.build.os];
  return providerChain(layers, ref).entries
    .find(({ program }) => program === own)?.program;
}

/** What the store holds, as far as it can be told without a dialog. */
async function storedRegistries(
  session: CommandSession,
): Promise<
  { readonly stored: readonly RegistryRef[]; failure?: StoreFailure }
> {
  const { store, deadline } = await session.storeOf(
    { indexUrl: CRATES_IO_INDEX },
    false,
  );
  const listed = await store.list({ signal: deadline() });
  if (listed.kind === "items") {
    return { stored: listed.items };
  }
  // Where there is no store at all there is nothing to look for.
  return listed.storeExists ? { stored: [], failure: listed } : { stored: [] };
}

function namesOf(registries: readonly RegistryRef[]): string {
  return registries.map(({ name, indexUrl }) => name ?? indexUrl).join(", ");
}

/** Cargo's own provider reads the same items; else they go back to the file. */
async function keepReachable(
  args: SetupArguments,
  session: CommandSession,
): Promise<number> {
  const { output } = session;
  const own = PLATFORM_PROVIDERS[Deno.build.os];
  const mayAsk = !args.yes && await session.isPersonPresent();
  if (own !== undefined) {
    const change = await planConfig(session, (toml, text) => {
      const list = valueAt(toml.values(text), LIST);
      if (Array.isArray(list) && list.includes(own)) {
        return { kind: "unchanged" };
      }
      const added = editToml(toml, text, {
        kind: "add-item",
        path: LIST,
        item: own,
      });
      const edit = "refused" in added
        ? editToml(toml, text, {
          kind: "set",
          path: LIST,
          value: ["cargo:token", own],
        })
        : added;
      return "refused" in edit
        ? { kind: "refused", reason: edit.refused }
        : { kind: "edited", text: edit.text };
    });
    if (change.after === change.before) {
      output.print(`Cargo's own provider ${own} reads them.`);
      return 0;
    }
    if (
      mayAsk && await session.confirm(
        `Let cargo's own provider ${own} read them? It needs the store ` +
          "wherever cargo runs.",
      )
    ) {
      await writeChange(change);
      return 0;
    }
  }
  if (
    mayAsk && await session.confirm(
      "Put them back into cargo's credentials file, in PLAINTEXT?",
    )
  ) {
    return await restore(
      { registry: [], keepStore: false, dryRun: false, json: false },
      session,
    );
  }
  output.print(
    "Cargo does not find them until `cargo-credential-keyring restore` puts " +
      `them back${own === undefined ? "" : `, or \`${own}\` is its provider`}.`,
  );
  return 0;
}
