declare module "subset-font" {
  /** Cuts a font down to the characters of a text. */
  export default function subsetFont(
    font: Uint8Array,
    characters: string,
    options: {
      targetFormat: "woff2";
      variationAxes?: { readonly [axis: string]: number | { readonly min: number; readonly max: number } };
    },
  ): Promise<Buffer>;
}
