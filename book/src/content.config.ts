import { defineCollection } from "astro:content";
import { docsLoader } from "@astrojs/starlight/loaders";
import { docsSchema } from "@astrojs/starlight/schema";
import { z } from "astro/zod";

/** What a generated chapter says about itself beside Starlight's own fields. */
const chapterFields = z.object({
  chapter: z.number().optional(),
  notebook: z.string().optional(),
  hasMath: z.boolean().optional(),
});

export const collections = {
  docs: defineCollection({ loader: docsLoader(), schema: docsSchema({ extend: chapterFields }) }),
};
