// Two pages, one build: person.html (the person under supervision, old phones) and console.html
// (staff). Everything is static; each text file gets a .gz beside it, which the daemon serves as is.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const COMPRESSED = /\.(js|css|html|svg)$/;

function compressedBeside(): Plugin {
  let out = "";
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) visit(path);
      else if (COMPRESSED.test(name)) writeFileSync(path + ".gz", gzipSync(readFileSync(path), { level: 9 }));
    }
  };
  return {
    name: "compressed-beside",
    apply: "build",
    configResolved(config) {
      out = config.build.outDir;
    },
    closeBundle() {
      visit(out);
    },
  };
}

export default defineConfig({
  base: "/",
  appType: "mpa",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    outDir: process.env.CK_WEB_OUT ?? "dist",
    emptyOutDir: true,
    target: ["es2017", "chrome70", "safari13", "firefox68"],
    cssTarget: ["chrome70", "safari13", "firefox68"],
    assetsInlineLimit: 0, // a data: address would need a wider content security policy
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { person: "person.html", console: "console.html", push: "src/push/worker.ts" },
      // A service worker has one address for ever, at the root that it is for.
      output: { entryFileNames: (chunk) => (chunk.name === "push" ? "push-worker.js" : "assets/[name]-[hash].js") },
    },
  },
  plugins: [compressedBeside()],
  // The limit is for what hangs; a busy machine is no fault of the code.
  test: { include: ["test/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
} as Parameters<typeof defineConfig>[0]);
