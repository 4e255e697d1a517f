/// <reference types="astro/client" />

interface Window {
  bookTheme: { apply(choice: "auto" | "light" | "dark"): void };
}
