// SPDX-License-Identifier: Apache-2.0
import react from "@vitejs/plugin-react";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defineConfig, type Plugin } from "vite";

/**
 * Error texts of React Flow name a page that explains them. Nothing fetches it, but a
 * built file that names no outside origin at all is easier to trust:
 * "https://reactflow.dev/error#008" becomes "reactflow.dev/error#008".
 */
const EXPLANATIONS = /https:\/\/((?:\w+\.)?(?:reactflow|\$\{\w+\}flow)\.dev)/g;

function withoutOrigins(): Plugin {
  return {
    name: "without-origins",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk") file.code = file.code.replace(EXPLANATIONS, "$1");
      }
    },
  };
}

/** The browser fetches the page's script beside that which asks for it, not after it. */
function withPageAhead(): Plugin {
  return {
    name: "with-page-ahead",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const later = Object.values(bundle ?? {}).filter((file) => file.type === "chunk" && file.isDynamicEntry);
        return later.map(({ fileName }) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${fileName}` },
          injectTo: "head" as const,
        }));
      },
    },
  };
}

/** The licences of everything that was built in, in LICENSES.txt beside the page. */
function withLicences(): Plugin {
  return {
    name: "with-licences",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? Object.keys(file.modules) : []));
      const folders = new Set(modules.map(packageFolder).filter((each) => each !== null));
      const source = [...folders].map(licence).sort().join("\n\n");
      this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: `${source}\n` });
    },
  };
}

function packageFolder(module: string): string | null {
  const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module.replace(/^\0/, ""));
  return found ? found[0] : null;
}

function licence(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<"name" | "version" | "license", string>;
  const file = [folder, dirname(folder)]
    .flatMap((each) => (existsSync(each) ? readdirSync(each).map((name) => join(each, name)) : []))
    .find((path) => /\/licen[cs]e(\.md|\.txt)?$/i.test(path));
  if (!file) throw new Error(`${about.name} has no licence file`);
  const text = readFileSync(file, "utf8").trim().replace(/https?:\/\//g, "");
  return `${about.name} ${about.version} (${about.license})\n\n${text}`;
}

/**
 * The built page carries Preact in React's place: the same calls in 11 KB instead of 67.
 * React itself is here for its types, and for the tests of components.
 */
const PREACT = [
  { find: /^react$/, replacement: "preact/compat" },
  { find: /^react-dom$/, replacement: "preact/compat" },
  { find: /^react-dom\/client$/, replacement: "preact/compat/client" },
  { find: /^react\/jsx-runtime$/, replacement: "preact/jsx-runtime" },
];

export default defineConfig({
  resolve: { alias: process.env.VITEST ? [] : PREACT },
  plugins: [react(), withoutOrigins(), withPageAhead(), withLicences()],
  build: {
    outDir: "../src/lao/server/static",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    assetsInlineLimit: 0, // `img-src 'self' blob:` lets no data: address in
    cssCodeSplit: false,
    modulePreload: { polyfill: false, resolveDependencies: () => [] },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800, // scripts/check_page.py limits it, gzipped
    rolldownOptions: {
      output: { comments: false },
      // So that the parts of React Flow that nothing uses are left out.
      treeshake: { manualPureFunctions: ["memo", "forwardRef", "createContext"] },
    },
  },
});
