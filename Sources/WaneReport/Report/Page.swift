/// The frame of an HTML page that needs nothing from outside: style, themes, escaping.
enum Page {
    static func escape(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.append(character)
            }
        }
        return out
    }

    static let chartColours = """
        :root{--ink:#1d2530;--soft:#5b6675;--line:#d9dee6;--paper:#ffffff;--c0:#0b63ce;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#a16207}\
        @media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a3adbb;--line:#374151;--paper:#12161d;--c0:#6aa8ff;--c1:#ff9d5c;--c2:#5fd38a;--c3:#c99bff;--c4:#e6c35c}}
        """

    static let chartStyle = """
        svg text{font:13px system-ui,sans-serif;fill:var(--soft)}svg .t{font-size:14px;font-weight:600;fill:var(--ink)}\
        svg .paper{fill:var(--paper)}svg .g{stroke:var(--line)}svg line.m{stroke:var(--soft);stroke-dasharray:3 3}svg circle.m{fill:var(--paper);stroke:var(--ink);stroke-width:2}svg .e{stroke:var(--ink)}svg .l{fill:none;stroke-width:2}svg .d{stroke-dasharray:5 4}\
        svg .c0{stroke:var(--c0)}svg .c1{stroke:var(--c1)}svg .c2{stroke:var(--c2)}svg .c3{stroke:var(--c3)}svg .c4{stroke:var(--c4)}\
        svg circle.c0,svg .k.c0{fill:var(--c0)}svg circle.c1,svg .k.c1{fill:var(--c1)}svg circle.c2,svg .k.c2{fill:var(--c2)}\
        svg circle.c3,svg .k.c3{fill:var(--c3)}svg circle.c4,svg .k.c4{fill:var(--c4)}
        """

    private static let style = """
        *{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\
        main{max-width:1180px;margin:0 auto;padding:24px 16px 64px}h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:36px 0 8px}\
        p{margin:6px 0}.soft{color:var(--soft)}.verdict{border-left:4px solid var(--c0);padding:6px 12px;margin:8px 0}\
        .lost{border-left-color:var(--c1)}.level{border-left-color:var(--soft)}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
        th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line);white-space:nowrap}th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}\
        th{color:var(--soft);font-weight:600}tr.model td{font-weight:600}td.words{text-align:left;white-space:normal;overflow-wrap:anywhere}.interval{color:var(--soft);font-weight:400;font-size:13px}\
        .grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,500px),1fr));gap:20px}\
        .facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}.facts b{display:block;font-size:20px}svg{width:100%;height:auto}\
        .narrow{display:none}@media(max-width:559px){.wide{display:none}.narrow{display:block}td:first-child{min-width:34vw;max-width:40vw;white-space:normal}}
        """

    /// Two pictures of one chart: the page shows the one that its width has room for.
    static func responsive(wide: String, narrow: String) -> String {
        wide.isEmpty ? "" : "<div><div class=\"wide\">\(wide)</div><div class=\"narrow\">\(narrow)</div></div>"
    }

    /// A count with its thousands apart.
    static func count(_ value: Int) -> String {
        var out = ""
        for (place, digit) in String(abs(value)).reversed().enumerated() {
            if place > 0, place % 3 == 0 { out.append(",") }
            out.append(digit)
        }
        return (value < 0 ? "-" : "") + String(out.reversed())
    }

    static func html(title: String, body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(escape(title))</title>
        <style>\(chartColours)\(chartStyle)\(style)</style>
        </head>
        <body><main>
        \(body)
        </main></body>
        </html>

        """
    }
}
