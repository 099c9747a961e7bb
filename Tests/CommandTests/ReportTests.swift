import Foundation
import TestSupport
import Testing

@Suite("The report")
struct ReportTests {
    private static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.fileExists(atPath: $0) }

    /// What the browser makes of a page: its document after loading.
    private func document(_ page: URL, _ flags: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.browser))
        process.arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"] + flags + [page.absoluteString]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    /// A page that measures another inside a frame of some width and writes what it finds into its title.
    private func probe(_ report: String, width: Int, scheme: String) -> String {
        let source = report.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
        return """
            <body style="color-scheme:\(scheme)"><iframe id="f" width="\(width)" height="900" srcdoc="\(source)"></iframe>
            <script>f.onload=()=>{const d=f.contentDocument,w=f.contentWindow;
            document.body.dataset.overflow=d.documentElement.scrollWidth>w.innerWidth;
            document.body.dataset.charts=d.querySelectorAll('svg polyline').length;
            document.body.dataset.rows=d.querySelectorAll('tr').length;
            // Charts that the width has room for: words within their picture, and large enough to be read.
            let outside=[],small=9e9,shown=0;
            for(const s of d.querySelectorAll('svg')){const r=s.getBoundingClientRect();if(!r.width)continue;shown++;
            for(const t of s.querySelectorAll('text')){const b=t.getBoundingClientRect();
            if(b.left<r.left-1||b.right>r.right+1||b.top<r.top-1||b.bottom>r.bottom+1)outside.push(t.textContent);
            small=Math.min(small,parseFloat(w.getComputedStyle(t).fontSize)*r.width/s.viewBox.baseVal.width)}}
            for(const e of d.querySelectorAll('p,td,th,span,b'))if(e.textContent)
            small=Math.min(small,parseFloat(w.getComputedStyle(e).fontSize));
            document.body.dataset.shown=shown;document.body.dataset.outside=outside.join('|');document.body.dataset.small=small>=11;
            // Each column can be brought into view beside the first, which stays where it is.
            let reached=true;for(const t of d.querySelectorAll('.scroll')){const rows=t.querySelectorAll('tr');
            for(const c of rows[0].cells){t.scrollLeft=c.offsetLeft-rows[0].cells[0].offsetWidth;
            const b=c.getBoundingClientRect(),f=rows[0].cells[0].getBoundingClientRect(),o=t.getBoundingClientRect();
            if(c!==rows[0].cells[0]&&(b.left<f.right-2||b.right>o.right+2))reached=false;
            if(Math.abs(f.left-o.left)>2)reached=false}}
            document.body.dataset.reached=reached;
            document.body.dataset.paper=w.getComputedStyle(d.body).backgroundColor}</script></body>
            """
    }

    @Test(
        "stands alone, fits a phone, and follows the theme",
        .enabled(if: browser != nil, "no Chromium on this machine"))
    func browsed() throws {
        let (folder, log) = try CommandTests.log()
        defer { withExtendedLifetime(folder) {} }
        let report = folder.file("report.html").path
        let made = try Command.run(["compare", log, "--models", "mlp", "--report", report] + CommandTests.small)
        #expect(made.status == 0, "\(made.errors)")
        let html = try String(contentsOfFile: report, encoding: .utf8)
        // Which model drew the curves, the topics' half-lives, and how the page came about.
        for said in ["mlp, seed 7", "<h2>Topics</h2>", "How this page was made", "compare", "--models mlp"] {
            #expect(html.contains(said), "\(said)")
        }
        for outside in ["src=\"http", "href=\"http", "url(", "@import", "<script"] { #expect(!html.contains(outside)) }
        let light = "rgb(255, 255, 255)"
        for (width, scheme, paper) in [
            (360, "light", light), (390, "light", light), (600, "light", light), (1_280, "dark", "rgb(18, 22, 29)"),
        ] {
            let page = URL(fileURLWithPath: try folder.write("probe.html", probe(html, width: width, scheme: scheme)))
            let flags =
                scheme == "dark"
                ? ["--blink-settings=preferredColorScheme=0"] : ["--blink-settings=preferredColorScheme=1"]
            let seen = try document(page, flags + ["--virtual-time-budget=4000"])
            #expect(seen.contains("data-overflow=\"false\""), "\(width) wide")
            #expect(seen.contains("data-paper=\"\(paper)\""), "\(scheme)")
            #expect(!seen.contains("data-charts=\"0\"") && !seen.contains("data-rows=\"0\""))
            let outside = seen.firstMatch(of: /data-outside="([^"]*)"/)?.1
            #expect(outside == "" && !seen.contains("data-shown=\"0\""), "\(width): \(outside ?? "?") leaves a picture")
            #expect(seen.contains("data-small=\"true\""), "\(width): text under 11 px")
            #expect(seen.contains("data-reached=\"true\""), "\(width): a column cannot be reached")
        }
    }

    @Test("names with markup in them stay text")
    func escaped() throws {
        let folder = try TemporaryFolder()
        var text = "user,time,item,topic\n"
        for row in 0..<600 {
            text += "<b>\(row % 5)</b>,\(1_600_000_000 + row * 3_600),p\(row % 7),<script>alert(\(row % 3))</script>\n"
        }
        let log = try folder.write("log.csv", text)
        let report = folder.file("report.html").path
        let made = try Command.run(["compare", log, "--models", "mlp", "--report", report] + CommandTests.small)
        #expect(made.status == 0, "\(made.errors)")
        let html = try String(contentsOfFile: report, encoding: .utf8)
        #expect(!html.contains("<script>") && html.contains("&lt;script&gt;"))
    }
}
