import { readRegularFile } from "../base/files.ts";
import { loadTomlParser, type TomlValues } from "../toml/document.ts";
import {
  type ConfigLayer,
  type ConfigLayers,
  isTable,
  MOST_PARSED,
} from "./config.ts";
import { CRATES_IO_NAME, environmentName } from "./registries.ts";

/** A token outside of the credentials file: nobody moves or removes it. */
export interface ConfigToken {
  /** The configuration file. */
  readonly path: string;
  /** Whose word it is. */
  readonly layer: ConfigLayer;
  /** The table that holds it. */
  readonly table: readonly ["registry"] | readonly ["registries", string];
}

/**
 * The tokens in configuration files that are not the credentials file. Cargo
 * uses them where neither the environment nor the credentials file has one.
 *
 * @param credentials The credentials file.
 */
export function configTokens(
  layers: ConfigLayers,
  credentials: string | undefined,
): ConfigToken[] {
  return layers.files
    .filter(({ path }) => path !== credentials)
    .flatMap(({ path, layer, values }) =>
      tokenTables(values).map((table) => ({ path, layer, table }))
    );
}

/**
 * Whether cargo never reads the token of a table: crates.io's is in
 * `[registry]` alone, whatever `[registries.crates-io]` holds.
 */
export function isNeverRead(table: readonly string[]): boolean {
  return table[0] === "registries" && table[1] === CRATES_IO_NAME;
}

/** Whether `cargo:token` could send a token, and where it would have it from. */
export type SendableToken =
  | { readonly kind: "none" }
  | {
    /** `unknown`: what cannot be read may hold one. */
    readonly kind: "some" | "unknown";
    /** The variable or the file. */
    readonly where: string;
  };

/**
 * What `cargo:token` could send of the user's under a name of a registry that
 * is not crates.io: from a variable, from the credentials file, or from the
 * configuration in cargo's home. Names are compared as variables are.
 *
 * @param layers The configuration.
 * @param credentials The credentials file, whether it exists or not; `undefined`
 * where there is no home, or none that can be read.
 * @param name The name; `undefined`: any.
 */
export async function sendableToken(
  layers: ConfigLayers,
  credentials: string | undefined,
  name: string | undefined,
): Promise<SendableToken> {
  const wanted = name === undefined ? undefined : environmentName(name);
  const isMeant = (spelling: string): boolean =>
    wanted === undefined || spelling === wanted;
  const isIn = (values: TomlValues): boolean =>
    tokenTables(values).some((table) =>
      table[1] !== undefined && !isNeverRead(table) &&
      isMeant(environmentName(table[1]))
    );

  const variable = Object.keys(layers.environment).find((variable) => {
    const spelling = /^CARGO_REGISTRIES_(.*)_TOKEN$/.exec(variable)?.[1];
    return spelling !== undefined && isMeant(spelling);
  });
  if (variable !== undefined) return { kind: "some", where: variable };
  const file = layers.files.find(({ layer, values }) =>
    layer === "user" && isIn(values)
  );
  if (file !== undefined) return { kind: "some", where: file.path };

  const stored = credentials === undefined
    ? "absent"
    : await readValues(credentials);
  if (credentials !== undefined) {
    if (stored === "unknown") return { kind: "unknown", where: credentials };
    if (stored !== "absent" && isIn(stored)) {
      return { kind: "some", where: credentials };
    }
  }
  const unread = layers.problems.find(({ layer }) => layer === "user");
  return unread === undefined
    ? { kind: "none" }
    : { kind: "unknown", where: unread.path };
}

async function readValues(
  path: string,
): Promise<TomlValues | "absent" | "unknown"> {
  const outcome = readRegularFile(path);
  if (outcome.kind === "absent") return "absent";
  if (outcome.kind === "unreadable") return "unknown";
  const { text } = outcome;
  // An escape can spell any key.
  if (!text.includes("token") && !text.includes("\\")) return "absent";
  if (text.length > MOST_PARSED.user) return "unknown";
  try {
    const { values } = await loadTomlParser();
    return values(text);
  } catch {
    return "unknown";
  }
}

/** The tables with a `token`. A name with dots may be one key, or several. */
function tokenTables(values: TomlValues): ConfigToken["table"][] {
  const tables: ConfigToken["table"][] = [];
  const own = Object.hasOwn(values, "registry")
    ? values["registry"]
    : undefined;
  if (isTable(own) && Object.hasOwn(own, "token")) tables.push(["registry"]);
  const visit = (table: TomlValues, names: readonly string[]): void => {
    for (const [name, value] of Object.entries(table)) {
      if (name === "token" && names.length > 0) {
        tables.push(["registries", names.join(".")]);
      } else if (isTable(value)) {
        visit(value, [...names, name]);
      }
    }
  };
  const named = Object.hasOwn(values, "registries")
    ? values["registries"]
    : undefined;
  if (isTable(named)) visit(named, []);
  return tables;
}
