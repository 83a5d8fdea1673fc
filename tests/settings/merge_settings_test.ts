import { assertEquals } from "@std/assert";
import {
  type MergedSettings,
  mergeSettings,
  type SettingLayers,
} from "../../src/settings/merge_settings.ts";
import { NO_FILE_SETTINGS } from "../../src/settings/parse_settings.ts";
import {
  DEFAULT_SETTINGS,
  type SettingValues,
} from "../../src/settings/settings.ts";

const URL = "sparse+https://example.com/index/";
const OTHER = "sparse+https://example.org/index/";

function merge(layers: Partial<SettingLayers>): MergedSettings {
  return mergeSettings({
    environment: {},
    user: NO_FILE_SETTINGS,
    system: NO_FILE_SETTINGS,
    ...layers,
  }, URL);
}

function file(
  general: Partial<SettingValues>,
  registry: Partial<SettingValues> = {},
  enforce: Partial<SettingValues> = {},
): SettingLayers["system"] {
  return { general, registries: [{ index: URL, settings: registry }], enforce };
}

interface Row {
  readonly name: string;
  readonly layers: Partial<SettingLayers>;
  readonly holds: Partial<SettingValues>;
  /** The keys that somebody tried to loosen. */
  readonly kept?: readonly string[];
}

const ROWS: readonly Row[] = [
  { name: "nobody sets anything", layers: {}, holds: {} },

  // One source over the next weaker one.
  {
    name: "the system file over the defaults",
    layers: { system: file({ store: "off", timeoutMs: 1 }) },
    holds: { store: "off", timeoutMs: 1 },
  },
  {
    name: "the user's file over the system file",
    layers: {
      user: file({ store: "keyutils" }),
      system: file({ store: "off", prompt: "never" }),
    },
    holds: { store: "keyutils", prompt: "never" },
  },
  {
    name: "the environment over the user's file",
    layers: {
      environment: { store: "wincred", prompt: "always" },
      user: file({ store: "off", prompt: "never", timeoutMs: 7 }),
    },
    holds: { store: "wincred", prompt: "always", timeoutMs: 7 },
  },
  {
    name: "[enforce] over everything",
    layers: {
      environment: { store: "off", fallback: "strict", migrate: "never" },
      user: file({ prompt: "never" }, { promptTimeoutMs: 1 }),
      system: file({}, {}, {
        store: "secret-service",
        fallback: "deny",
        migrate: "auto",
        prompt: "auto",
        promptTimeoutMs: 5,
      }),
    },
    holds: {
      store: "secret-service",
      fallback: "deny",
      migrate: "auto",
      prompt: "auto",
      promptTimeoutMs: 5,
    },
  },

  // [[registry]]
  {
    name: "[[registry]] over the rest of its file",
    layers: {
      user: file({ migrate: "never", prompt: "never" }, { migrate: "notify" }),
    },
    holds: { migrate: "notify", prompt: "never" },
  },
  {
    name: "the user's file over [[registry]] of the system file",
    layers: {
      user: file({ store: "keyutils" }),
      system: file({}, { store: "off" }),
    },
    holds: { store: "keyutils" },
  },
  {
    name: "the environment over [[registry]]",
    layers: {
      environment: { store: "off" },
      user: file({}, { store: "keyutils" }),
    },
    holds: { store: "off" },
  },
  {
    name: "[[registry]] of another index URL",
    layers: {
      user: {
        general: {},
        registries: [{ index: OTHER, settings: { store: "off" } }],
      },
    },
    holds: {},
  },

  // `fallback` is only tightened.
  {
    name: "the environment tightens fallback",
    layers: {
      environment: { fallback: "strict" },
      user: file({ fallback: "deny" }),
    },
    holds: { fallback: "strict" },
  },
  {
    name: "the environment does not loosen fallback",
    layers: {
      environment: { fallback: "file" },
      user: file({ fallback: "deny" }),
    },
    holds: { fallback: "deny" },
    kept: ["fallback"],
  },
  {
    name: "nor below [[registry]]",
    layers: {
      environment: { fallback: "deny" },
      user: file({}, { fallback: "strict" }),
    },
    holds: { fallback: "strict" },
    kept: ["fallback"],
  },
  {
    name: "nor below the system file",
    layers: {
      environment: { fallback: "file" },
      system: file({ fallback: "strict" }),
    },
    holds: { fallback: "strict" },
    kept: ["fallback"],
  },
  {
    name: "the user's file may be looser than the system file",
    layers: {
      user: file({ fallback: "file" }),
      system: file({ fallback: "strict" }),
    },
    holds: { fallback: "file" },
  },
  {
    name: "[enforce] may be looser, and makes no notice",
    layers: {
      environment: { fallback: "file", migrate: "auto" },
      user: file({ fallback: "strict", migrate: "never" }),
      system: file({}, {}, { fallback: "file", migrate: "auto" }),
    },
    holds: { fallback: "file", migrate: "auto" },
  },

  {
    name: "the environment loosens migrate",
    layers: {
      environment: { migrate: "auto" },
      user: file({ migrate: "never" }),
    },
    holds: { migrate: "auto" },
  },
];

for (const { name, layers, holds, kept = [] } of ROWS) {
  Deno.test(`mergeSettings(): ${name}`, () => {
    const { settings, notices } = merge(layers);
    assertEquals(settings, { kind: "settings", ...DEFAULT_SETTINGS, ...holds });
    assertEquals(
      notices.map(({ topic, text }) => [topic, /`(\w+) = /.exec(text)?.[1]]),
      kept.map((key) => ["not-loosened", key]),
    );
  });
}
