import { CRATES_IO_INDEX } from "./registries.ts";

/**
 * The other spellings of an index URL that cargo takes for the same registry
 * ({@linkcode sameRegistry}): with and without `.git` and a last slash, and in
 * lower case on github.com. A sparse registry and crates.io have only one.
 */
export function spellings(indexUrl: string): string[] {
  const url = URL.parse(indexUrl);
  if (
    url === null || url.protocol.includes("+") || indexUrl === CRATES_IO_INDEX
  ) return [];
  const stem = url.pathname.replace(/\/$/, "").replace(/\.git$/, "");
  const stems = url.hostname === "github.com"
    ? [stem, stem.toLowerCase()]
    : [stem];
  const all = stems.flatMap((stem) =>
    ["", "/", ".git", ".git/"].map((end) => {
      const other = new URL(url);
      other.pathname = stem + end;
      return other.href;
    })
  );
  return [...new Set(all)].filter((other) =>
    other !== indexUrl && other !== CRATES_IO_INDEX &&
    sameRegistry(other, indexUrl)
  );
}

/**
 * Whether cargo takes two URLs for one registry (cargo:
 * `src/cargo/util/canonical_url.rs`): a last slash does not count, nor, in a
 * URL without `+`, does `.git`, nor the case of a path on github.com. What is no
 * URL is like itself alone.
 */
export function sameRegistry(one: string, other: string): boolean {
  if (one === other) return true;
  const canonical = canonicalUrl(one);
  return canonical !== undefined && canonical === canonicalUrl(other);
}

/** Where there are many registries, each is compared with each. */
const canonicals = new Map<string, string | undefined>();

/** What two URLs of one registry have in common; `undefined` for no URL. */
export function canonicalUrl(text: string): string | undefined {
  if (!canonicals.has(text)) canonicals.set(text, canonicalize(text));
  return canonicals.get(text);
}

function canonicalize(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^[^:]*:\//.test(url.href)) return undefined;
  url.pathname = url.pathname.replace(/\/$/, "");
  if (url.protocol.includes("+")) return url.href;
  let { href } = url;
  if (url.hostname === "github.com") {
    url.pathname = url.pathname.toLowerCase();
    href = url.href.replace(/^[^:]*:/, "https:");
  }
  const canonical = new URL(href);
  canonical.pathname = canonical.pathname.replace(/\.git$/, "");
  return canonical.href;
}
