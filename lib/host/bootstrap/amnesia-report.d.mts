export function amnesiaReport(
  ordinary: string,
  forgetful: string,
): { readonly line: string; readonly problem: string | undefined };
