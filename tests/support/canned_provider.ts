import { quote } from "../../scripts/launcher.ts";
import type { TestHome } from "./test_home.ts";

/** A provider that gives one answer to everything. */
export interface CannedProvider {
  /** Its path, for a list of providers. */
  readonly path: string;
  /** How many requests it got so far. */
  requests(): Promise<number>;
}

/**
 * Writes a provider that stands beside the one under test in cargo's chain.
 *
 * @param home Where to write it.
 * @param name Its file name.
 * @param answer The line it answers with.
 * @returns The provider.
 */
export async function writeCannedProvider(
  home: TestHome,
  name: string,
  answer: string,
): Promise<CannedProvider> {
  const path = `${home.root}/bin/${name}`;
  await Deno.writeTextFile(
    path,
    `#!/bin/sh\necho '{"v":[1]}'\nread -r request\n` +
      `echo asked >>${quote(`${path}.log`)}\necho ${quote(answer)}\n`,
    { mode: 0o755 },
  );
  await Deno.writeTextFile(`${path}.log`, "");
  return {
    path,
    requests: async () =>
      (await Deno.readTextFile(`${path}.log`)).split("\n").length - 1,
  };
}
