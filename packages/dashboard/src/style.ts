/** The page's style sheet: light and dark as the reader's system has it, from 400 pixels on. */
export const style = `:root {
  color-scheme: light dark;
  --ground: light-dark(#ffffff, #14171a);
  --raised: light-dark(#f3f5f7, #1e2328);
  --text: light-dark(#14171a, #e8ebee);
  --quiet: light-dark(#525b64, #a3adb8);
  --line: light-dark(#d4dae0, #353d45);
  --accent: light-dark(#0b5cad, #78b4f5);
  --good: light-dark(#1a6b34, #6fcf8b);
  --bad: light-dark(#a4161a, #ff8f8f);
  --warn: light-dark(#7a4a00, #f0b860);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: baseline; padding: .6rem 1rem; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.15rem; margin: 0; }
h1 a { color: inherit; text-decoration: none; }
h2 { font-size: 1.1rem; margin: 1.2rem 0 .4rem; overflow-wrap: anywhere; }
#daemon { margin: 0; color: var(--quiet); }
main { padding: 0 1rem 2rem; outline: none; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .4rem 0; white-space: nowrap; }
nav a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--quiet); white-space: nowrap; }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
.buttons { display: inline-flex; flex-wrap: wrap; gap: .4rem; }
td .buttons { flex-wrap: nowrap; }
.buttons[hidden] { display: none; }
td.name { overflow-wrap: anywhere; min-width: 6rem; }
.state::before { content: "\\25CF "; }
.running { color: var(--good); }
.starting, .draining, .backoff { color: var(--warn); }
.failed, .error { color: var(--bad); }
.stopped, .quiet { color: var(--quiet); }
svg.spark { width: 7.5rem; height: 1.4rem; vertical-align: middle; }
svg.spark polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
button { font: inherit; color: var(--text); background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .15rem .6rem; cursor: pointer; }
button:disabled { color: var(--quiet); cursor: not-allowed; }
input, select { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--quiet); border-radius: 4px; padding: .15rem .4rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .6rem 0; }
label { display: grid; color: var(--quiet); font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .6rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.calls { font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; padding-left: 3.5rem; }
ul.tree { list-style: none; margin: 0; padding-left: 1.2rem; border-left: 1px solid var(--line); }
.node { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; padding: .25rem 0; }
.bar { display: inline-block; height: .7rem; background: var(--accent); vertical-align: baseline; }
svg.bars { width: 100%; max-width: 40rem; height: 6rem; }
svg.small { width: 6rem; height: 1.4rem; vertical-align: middle; }
.scroll + .scroll { margin-top: 1rem; }
figure { margin: .8rem 0; }
svg.chart { width: 100%; height: 5rem; }
svg.chart polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
details pre { margin: .2rem 0; overflow-x: auto; font: 13px/1.5 ui-monospace, monospace; }
svg.bars rect { fill: var(--accent); }
@media (max-width: 640px) { .wide { display: none; } body { font-size: 14px; } th, td { padding-right: .4rem; } }
`
