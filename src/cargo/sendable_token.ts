import { readRegularFile } from "../base/files.ts";
import { loadTomlParser, type TomlValues } from "../toml/document.ts";
import { isTable } from "../toml/simple.ts";
import { type ConfigLayers, MOST_PARSED, valueAt } from "./config.ts";
import { CRATES_IO_NAME, environmentName } from "./registries.ts";

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
 * `credentials`: the credentials file, whether it exists or not; `undefined`
 * where there is no home, or none that can be read.
 * `name`: the name; `undefined`: any.
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
    namesWithToken(values).some((name) => isMeant(environmentName(name)));

  const variable = Object.keys(layers.environment).find((variable) => {
    const spelling = /^CARGO_REGISTRIES_(.*)_TOKEN$/.exec(variable)?.[1];
    return spelling !== undefined && isMeant(spelling);
  });
  if (variable !== undefined) return { kind: "some", where: variable };
  const file = layers.files.find(({ layer, values }) =>
    layer === "user" && isIn(values)
  );
  if (file !== undefined) return { kind: "some", where: file.path };

  if (credentials !== undefined) {
    const values = await readValues(credentials);
    if (values === "unknown") return { kind: "unknown", where: credentials };
    if (isIn(values)) return { kind: "some", where: credentials };
  }
  const unread = layers.problems.find(({ layer }) => layer === "user");
  return unread === undefined
    ? { kind: "none" }
    : { kind: "unknown", where: unread.path };
}

async function readValues(path: string): Promise<TomlValues | "unknown"> {
  const outcome = readRegularFile(path);
  if (outcome.kind === "absent") return {};
  if (outcome.kind === "unreadable") return "unknown";
  const { text } = outcome;
  // An escape can spell any key.
  if (!text.includes("token") && !text.includes("\\")) return {};
  if (text.length > MOST_PARSED.user) return "unknown";
  try {
    const { values } = await loadTomlParser();
    return values(text);
  } catch {
    return "unknown";
  }
}

/**
 * The names under `registries` that have a `token`. One with dots may be one
 * key, or several. Cargo never reads `registries.crates-io`: crates.io's token
 * is in `registry`.
 */
function namesWithToken(values: TomlValues): string[] {
  const registries = valueAt(values, ["registries"]);
  const names: string[] = [];
  const visit = (table: TomlValues, path: readonly string[]): void => {
    for (const [key, value] of Object.entries(table)) {
      if (key === "token" && path.length > 0) names.push(path.join("."));
      else if (isTable(value)) visit(value, [...path, key]);
    }
  };
  if (isTable(registries)) visit(registries, []);
  return names.filter((name) => name !== CRATES_IO_NAME);
}
