// The published course. `npm run book` prepares the generated inputs (chapters, workers, fonts) and then
// runs `astro build` on this configuration; nothing here reads the network.

import { unified } from "@astrojs/markdown-remark";
import mdx from "@astrojs/mdx";
import starlight from "@astrojs/starlight";
import { defineConfig } from "astro/config";
import remarkMath from "remark-math";
import linksValidator from "starlight-links-validator";
import { codeTheme, machineWordTransformer } from "./build/code-theme.ts";
import { rehypeMachineWords } from "./build/machine-prose.ts";
import { rehypeMath } from "./build/math.ts";
import { rehypeNormNotes } from "./build/norm-notes.ts";
import { rehypeNumberedHeadings } from "./build/numbered-headings.ts";
import { quietStarlightStyles } from "./build/quiet-starlight.ts";

const override = (name) => `./src/components/${name}.astro`;

export default defineConfig({
  // Only a published copy knows its address; without one there is no canonical link and no site map.
  ...(process.env.BOOK_SITE ? { site: process.env.BOOK_SITE } : {}),
  outDir: "./dist",
  trailingSlash: "always",
  prefetch: false,
  compressHTML: true,
  devToolbar: { enabled: false },
  build: { inlineStylesheets: "never" },
  markdown: {
    processor: unified({
      remarkPlugins: [remarkMath],
      rehypePlugins: [rehypeMath, rehypeNumberedHeadings, rehypeNormNotes, rehypeMachineWords],
    }),
    syntaxHighlight: { type: "shiki", excludeLangs: ["math"] },
    shikiConfig: { theme: codeTheme, transformers: [machineWordTransformer] },
  },
  integrations: [
    starlight({
      title: "Escape from dom0",
      description:
        "A live course: build a hypervisor, break out of it, then ask whether one well-designed OS would have done.",
      favicon: "/favicon.svg",
      // Anchors are followed in the built pages (build/links.ts): figures and cells get theirs from components.
      plugins: [linksValidator({ errorOnInvalidHashes: false })],
      expressiveCode: false,
      credits: false,
      disable404Route: false,
      customCss: [
        "./src/styles/tokens.css",
        "./src/styles/book.css",
        "./src/styles/cell.css",
        "./src/styles/landing.css",
      ],
      sidebar: [
        { label: "Chapters", items: [{ autogenerate: { directory: "chapters" } }] },
        {
          label: "Course",
          items: [
            { slug: "syllabus" },
            { slug: "claims" },
            { slug: "progress" },
            { slug: "glossary" },
            { slug: "coverage" },
          ],
        },
      ],
      tableOfContents: { minHeadingLevel: 2, maxHeadingLevel: 2 },
      pagefind: true,
      markdown: { headingLinks: false },
      components: {
        Head: override("Head"),
        ThemeProvider: override("ThemeProvider"),
        PageFrame: override("PageFrame"),
        TwoColumnContent: override("Plain"),
        PageSidebar: override("Nothing"),
        ContentPanel: override("Plain"),
        MarkdownContent: override("MarkdownContent"),
        PageTitle: override("PageTitle"),
        Hero: override("Hero"),
        Header: override("Header"),
        Sidebar: override("Sidebar"),
        SkipLink: override("SkipLink"),
        Footer: override("Footer"),
      },
    }),
    mdx({ optimize: false }),
  ],
  vite: {
    plugins: [quietStarlightStyles()],
    build: { assetsInlineLimit: 0 },
  },
});
