import { printable } from "../base/printable.ts";
import type { Secret } from "../base/secret.ts";
import type { NoticeText } from "./notices.ts";
import type { RegistryAbout } from "../tokens/about.ts";

const SPACE = 0x20;

/**
 * The authentication scheme that a registry asks for by the headers of its 401
 * (RFC 9110, 11.6.1), where the token has none in front: cargo sends it as it
 * is. `undefined`: it asks for none, or for cargo's own `Cargo`.
 */
export function missingScheme(
  headers: readonly string[],
  token: Secret | "none",
): string | undefined {
  if (token !== "none" && token.bytes.includes(SPACE)) return undefined;
  const schemes = headers.flatMap((header) =>
    /^www-authenticate:\s*([\w-]+)(?:\s|,|$)/i.exec(header)?.[1] ?? []
  );
  return schemes.some((scheme) => /^cargo$/i.test(scheme))
    ? undefined
    : schemes[0];
}

/** What is said of a scheme that a token lacks. */
export function describeMissingScheme(
  scheme: string,
  about: RegistryAbout,
): NoticeText {
  const name = printable(scheme);
  return {
    level: "note",
    text: `${about.title} asks for the scheme \`${name}\`, and its token has ` +
      "none in front. If it is refused, store it with the scheme: " +
      `\`${about.loginCommand}\`, and paste \`${name} TOKEN\``,
    frequency: "daily",
    topic: "missing-scheme",
  };
}
