import { HOMEPAGE, PROGRAM } from "./release.ts";

/** A package that is in the executable. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** The integrity of npm's archive, `sha512-…` in Base64. */
  readonly integrity: string | undefined;
}

/** What the SBOM is of. */
export interface SbomOptions {
  readonly version: string;
  /** The Deno whose runtime is the base. */
  readonly deno: string;
  /** When it was made, as the sources say (`SOURCE_DATE_EPOCH`). */
  readonly created: Date;
  readonly components: readonly Component[];
}

/** The packages of a lock file of Deno's, version 5. */
export function componentsOf(
  lock: { readonly npm?: Readonly<Record<string, { integrity?: string }>> },
): Component[] {
  return Object.entries(lock.npm ?? {}).map(([key, { integrity }]) => {
    // `name@version`, and behind it what it was resolved with.
    const at = key.indexOf("@", 1);
    const version = /^[^_]*/.exec(key.slice(at + 1))?.[0] ?? "";
    return { name: key.slice(0, at), version, integrity };
  });
}

/** The bill of materials, as SPDX 2.3 in JSON. */
export function renderSbom(options: SbomOptions): string {
  const { version, deno, components } = options;
  const created = options.created.toISOString().replace(/\.\d+Z$/, "Z");
  const id = (name: string): string =>
    `SPDXRef-${name.replaceAll(/[^A-Za-z0-9.-]+/g, "-")}`;
  const parts = [
    {
      SPDXID: "SPDXRef-deno",
      name: "deno",
      versionInfo: deno,
      downloadLocation:
        `https://github.com/denoland/deno/releases/tag/v${deno}`,
      licenseDeclared: "MIT",
      filesAnalyzed: false,
    },
    ...components.map(({ name, version, integrity }) => ({
      SPDXID: id(`npm-${name}-${version}`),
      name,
      versionInfo: version,
      downloadLocation: "NOASSERTION",
      licenseDeclared: "NOASSERTION",
      filesAnalyzed: false,
      externalRefs: [{
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      }],
      ...(integrity?.startsWith("sha512-")
        ? {
          checksums: [{
            algorithm: "SHA512",
            checksumValue: Uint8Array.fromBase64(integrity.slice(7)).toHex(),
          }],
        }
        : {}),
    })),
  ];
  return JSON.stringify(
    {
      spdxVersion: "SPDX-2.3",
      dataLicense: "CC0-1.0",
      SPDXID: "SPDXRef-DOCUMENT",
      name: `${PROGRAM}-${version}`,
      documentNamespace: `${HOMEPAGE}/sbom/${version}`,
      creationInfo: { created, creators: [`Tool: ${PROGRAM}-release`] },
      packages: [
        {
          SPDXID: "SPDXRef-program",
          name: PROGRAM,
          versionInfo: version,
          downloadLocation: HOMEPAGE,
          licenseDeclared: "MIT OR Apache-2.0",
          filesAnalyzed: false,
        },
        ...parts,
      ],
      relationships: [
        {
          spdxElementId: "SPDXRef-DOCUMENT",
          relationshipType: "DESCRIBES",
          relatedSpdxElement: "SPDXRef-program",
        },
        ...parts.map(({ SPDXID }) => ({
          spdxElementId: "SPDXRef-program",
          relationshipType: "CONTAINS",
          relatedSpdxElement: SPDXID,
        })),
      ],
    },
    null,
    2,
  ) + "\n";
}
