/** The page. Its files lie in `page/`, so that it may be served under any path. */
export const html = (main: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Bickford</title>
    <link rel="stylesheet" href="page/style.css">
    <script type="module" src="page/${main}"></script>
  </head>
  <body>
    <header>
      <h1><a href="#/">Bickford</a></h1>
      <p id="daemon" role="status">connecting</p>
    </header>
    <main id="view" tabindex="-1"></main>
    <noscript>This page needs JavaScript. <code>bickford top</code> shows the same in a terminal.</noscript>
  </body>
</html>
`
