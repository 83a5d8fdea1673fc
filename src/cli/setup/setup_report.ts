import {
  chainFinding,
  type DoctorFacts,
  setupFindings,
} from "../../doctor/findings.ts";
import { findingsJson } from "../../doctor/report.ts";
import type { RegistryView } from "../../tokens/inventory.ts";
import { type RegistryResult, resultsJson } from "../report.ts";
import { storeJson } from "../status_report.ts";
import type { ConfigChange } from "./config_file.ts";
import type { Consent } from "./consent.ts";
import type { KeptBecause } from "./program_copy.ts";
import { difference } from "./difference.ts";

/** What became of the program's file. */
export interface ProgramResult {
  readonly path: string;
  readonly outcome:
    | "in-place"
    | "copied"
    | "would-copy"
    | "needs-yes"
    /** That of Windows, in WSL. */
    | "foreign"
    | "removed"
    | "would-remove"
    | "left";
  /** `left` alone: why. */
  readonly reason?: KeptBecause | null;
}

/** What `setup` and `setup --undo` report alike. */
export interface SetupReport {
  readonly program: ProgramResult;
  readonly change: ConfigChange;
  readonly consent: Consent;
  /** How it is now; where nothing was done, how it would be. */
  readonly facts: DoctorFacts;
}

/** The report of `setup`, whose keys docs/json.md describes. */
export function setupJson(
  report: SetupReport & { readonly results: readonly RegistryResult[] },
): unknown {
  return {
    action: "setup",
    ...commonJson(report),
    findings: findingsJson(setupFindings(report.facts)),
    results: resultsJson(report.results),
  };
}

/** A token in the store that cargo does not get from this program any more. */
export interface LeftToken {
  /** The registry's name; its URL if nothing has a name for it. */
  readonly registry: string;
  readonly indexUrl: string;
  /** Cargo's own provider for the system, if cargo asks it. */
  readonly foundBy: string | undefined;
}

/** The report of `setup --undo`; `left`: `undefined` if it cannot be told. */
export function undoJson(
  report: SetupReport & { readonly left: readonly LeftToken[] | undefined },
): unknown {
  return {
    action: "undo",
    ...commonJson(report),
    left_in_store: report.left?.map(({ registry, indexUrl, foundBy }) => ({
      registry,
      index_url: indexUrl,
      found_by: foundBy ?? null,
    })) ?? null,
  };
}

function commonJson(
  { program, change, consent, facts }: SetupReport,
): Readonly<Record<string, unknown>> {
  const { overview } = facts;
  return {
    program,
    config: configJson(change, consent),
    store: overview === undefined ? null : storeJson(overview.store),
    registries:
      overview?.registries.flatMap((registry) =>
        registryJson(registry, facts)
      ) ?? [],
  };
}

const CONFIG_OUTCOMES: Readonly<Record<Consent, string>> = {
  "given": "edited",
  "dry-run": "would-edit",
  "needs-yes": "needs-yes",
};

function configJson(change: ConfigChange, consent: Consent): unknown {
  const { path, before, after, toml } = change;
  const lines = difference(toml, before, after);
  const texts = (sign: string): string[] =>
    lines.filter((line) => line.sign === sign).map(({ text }) => text);
  return {
    path: path,
    outcome: before === after ? "unchanged" : CONFIG_OUTCOMES[consent],
    removed: texts("-"),
    added: texts("+"),
  };
}

function registryJson(
  registry: RegistryView,
  facts: DoctorFacts,
): readonly unknown[] {
  const { name, indexUrl, providers, reach } = registry;
  return indexUrl === undefined ? [] : [{
    name,
    index_url: indexUrl,
    providers: providers.map(({ program }) => program),
    asks_us: reach.kind === "listed",
    finding: chainFinding(registry, facts)?.code ?? null,
  }];
}
