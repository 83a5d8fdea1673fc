import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  type CargoOptions,
  type CargoResult,
  PROVIDER,
  TestHome,
  type TestHomeOptions,
} from "../support/test_home.ts";

/** The token in the credentials file. */
export const PLAINTEXT = "plaintext-token-5d2e";

/** A credentials file as a person keeps it. */
export const CREDENTIALS =
  `# mine\n[registries.alt]\ntoken = "${PLAINTEXT}" # keep\n`;

/** Any command that needs a token and changes nothing. */
export const SEARCH = ["search", "--registry", "alt", "anything"];

/**
 * A home whose token lies in plaintext behind `cargo:token`: what a machine
 * has whose owner has put this program in front. Nobody may be locked out of
 * it, whatever the store does.
 *
 * @param options What is different; the store is on `bus`.
 * @returns The home.
 */
export async function plaintextBehind(
  options: TestHomeOptions = {},
): Promise<TestHome> {
  const home = await TestHome.create({
    registries: { alt: { authRequired: true, tokens: [PLAINTEXT] } },
    providers: ["cargo:token", PROVIDER],
    ...options,
  });
  await home.writeCredentials(CREDENTIALS);
  return home;
}

/** The lines that this program has printed among those of cargo. */
export function notices(stderr: string): string[] {
  return stderr.split("\n").filter((line) =>
    /^(warning|note): /.test(line) &&
    !line.startsWith("note: to learn more about a package")
  );
}

/**
 * Whatever is the matter with the store: cargo goes on with the plaintext
 * token, the file stays as it is, and one line says why.
 *
 * @param home The home.
 * @param reason What the line says.
 * @param options How cargo is run.
 * @returns What cargo did.
 */
export async function assertGoesOn(
  home: TestHome,
  reason: RegExp,
  options: CargoOptions = {},
): Promise<CargoResult> {
  const result = await home.cargo(SEARCH, { limit: 30_000, ...options });
  assertEquals(result.code, 0, result.stderr);
  assert(home.registry().sawToken(PLAINTEXT));
  assertEquals(await home.credentials(), CREDENTIALS);
  const lines = notices(result.stderr);
  assertEquals(lines.length, 1, result.stderr);
  assertMatch(lines[0] ?? "", reason);
  return result;
}

/**
 * The same for a store that is behind nothing: cargo fails, and says why.
 *
 * @param home The home; `cargo:token` is taken out of its providers.
 * @param reason What the error says.
 */
export async function assertFailsWithReason(
  home: TestHome,
  reason: RegExp,
): Promise<void> {
  await home.configure([PROVIDER]);
  const { code, stderr } = await home.cargo(SEARCH, { limit: 30_000 });
  assertEquals(code, 101, stderr);
  assertMatch(stderr, reason);
  assertEquals(await home.credentials(), CREDENTIALS);
}

/**
 * A login where there is no store: the warning comes first, then cargo keeps
 * the token in the file.
 *
 * @param home The home.
 * @param reason What the warning says.
 */
export async function assertLoginWarns(
  home: TestHome,
  reason: RegExp,
): Promise<void> {
  const { code, stderr } = await home.cargo(["login", "--registry", "alt"], {
    stdin: "newer-token\n",
    limit: 30_000,
  });
  assertEquals(code, 0, stderr);
  assertMatch(stderr, reason);
  assertMatch(stderr, /PLAINTEXT/);
  assert(
    stderr.indexOf("PLAINTEXT") < stderr.indexOf("saved"),
    "the warning must come first",
  );
  assertStringIncludes(await home.credentials() ?? "", "newer-token");
}
