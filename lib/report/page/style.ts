import { type Html, html } from './html.ts';

/** Colours that people with any colour vision tell apart (Okabe and Ito, 2008), lighter on a dark page; lines differ in their dashes too. */
export const STYLE: Html = html`
:root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--dim:#57606a;--line:#d0d7de;--soft:#f3f5f7;--link:#0550ae;--bad:#b3261e;--good:#116329;
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#cc79a7;--c4:#8a6d00;--c5:#4b4bb8}
@media (prefers-color-scheme:dark){:root{--page:#0f1419;--ink:#e6edf3;--dim:#9aa5b1;--line:#3a434d;--soft:#1a2129;--link:#79b8ff;--bad:#ff8f86;--good:#6fd08c;
--c0:#56b4e9;--c1:#ff9a4d;--c2:#3fcfa0;--c3:#e6a5c6;--c4:#e5c63f;--c5:#a5a5ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,nav,main,footer{max-width:72rem;margin:0 auto;padding:.5rem 1rem}
h1{font-size:1.6rem;margin:.5rem 0 0}h2{font-size:1.35rem;border-top:1px solid var(--line);padding-top:1rem;margin-top:2rem}h3{font-size:1.05rem;margin:1.6rem 0 .4rem}
a{color:var(--link)}a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--page);padding:.4rem}
nav ul,.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1rem;padding:0;margin:.3rem 0}
.wide{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.9rem}caption{text-align:left;color:var(--dim);padding:.2rem 0}
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
thead th{background:var(--soft)}tbody th{font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.prose{min-width:18rem}.prose,p{unicode-bidi:plaintext}time{white-space:nowrap}
tr:target{background:var(--soft);outline:2px solid var(--link)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.4rem 0}dt{color:var(--dim)}dd{margin:0}
@media (max-width:40rem){dl{grid-template-columns:1fr}dd{margin:0 0 .4rem}}
.bad{color:var(--bad);font-weight:600}.good{color:var(--good)}.dim,.none{color:var(--dim)}
figure{margin:1rem 0}figcaption{font-weight:600}figure svg{display:block}figure svg[role=img]{width:100%;min-width:34rem;max-width:44rem;height:auto}
details{min-width:6rem}.columns{margin:.2rem 0;padding-left:1rem}
svg text{font:12px system-ui,sans-serif;fill:var(--ink)}.name{text-anchor:end}.label{text-anchor:middle}
.grid{stroke:var(--line)}.line{fill:none;stroke-width:2}
.s0{fill:var(--c0);stroke:var(--c0);--c:var(--c0)}.s1{fill:var(--c1);stroke:var(--c1);--c:var(--c1)}.s2{fill:var(--c2);stroke:var(--c2);--c:var(--c2)}
.s3{fill:var(--c3);stroke:var(--c3);--c:var(--c3)}.s4{fill:var(--c4);stroke:var(--c4);--c:var(--c4)}.s5{fill:var(--c5);stroke:var(--c5);--c:var(--c5)}
.s1 .line{stroke-dasharray:6 3}.s2 .line{stroke-dasharray:2 3}.s3 .line{stroke-dasharray:10 3 2 3}.s4 .line{stroke-dasharray:1 4}.s5 .line{stroke-dasharray:12 4}
.key{display:inline-block;width:.9rem;height:.9rem;margin-right:.35rem;vertical-align:-.1rem;background:var(--c)}
.edges path{fill:none;stroke:var(--dim);stroke-opacity:.6}.node{fill:var(--soft);stroke:var(--dim)}
.node.silver{stroke:var(--c0)}.node.gold{stroke:var(--c4);stroke-width:2}.node.elsewhere{stroke-dasharray:4 3}
.graph a:focus-visible .node{stroke:var(--link);stroke-width:3}
@media print{.skip,nav{display:none}details>*{display:block}}
`;
