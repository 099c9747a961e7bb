import Foundation
import Hummingbird
import TestSupport
import Testing
import WaneEvents
import WaneStore

@testable import WaneServer

@Suite(
    "The dashboard in a browser", .serialized, .usesTorch,
    .enabled(if: Browser.program != nil, "no browser is installed; Scripts/bootstrap tests brings one"))
struct DashboardTests {
    private struct Interests: Decodable {
        struct Row: Decodable { let topic: String, returnProbability: Double }
        let interests: [Row]
    }
    private struct Versions: Decodable {
        struct Row: Decodable { let version: String, labels: [String] }
        let models: [Row]
    }

    /// Opens the dashboard of a service with two models and people, one of whom has an unpleasant name.
    ///
    /// - Parameter isOld: whether events end in 2025; an hour ago otherwise.
    private func with(
        isOld: Bool = false,
        _ body: @escaping @Sendable (TestService, LiveClient, Browser, String) async throws -> Void
    ) async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(try own.model("mlp", seed: 1))
        _ = try await own.service.registry.add(try own.model("mlp", seed: 2))
        // As if it all had happened up to now.
        let last = TestService.records.map(\.time).max() ?? 0
        let shift = isOld ? 0 : InterestService.now - last - 3_600 * EventLog.second
        var records = TestService.records.map { record in
            var record = record
            record.time += shift
            return record
        }
        records.append(
            EventRecord(
                user: Self.evil, time: records[0].time, item: Self.evil, topics: [Self.evil, "topic-1"], duration: 5))
        _ = try await own.service.append(records)
        try await LiveClient.with(own.server) { client in
            let browser = try Browser()
            do {
                try await body(own, client, browser, "http://127.0.0.1:\(client.port)")
                await browser.close()
            } catch {
                await browser.close()
                throw error
            }
        }
    }

    private static let evil = "<img src=x onerror=alert(1)>'\"&/%41"

    @Test("find a person, read the curve, see why, promote a model, roll back: by keyboard alone")
    func journey() async throws {
        try await with { own, client, browser, address in
            try await browser.open(address + "/")
            try await browser.wait(
                for: "document.querySelectorAll('main table').length >= 1 && !!document.querySelector('.tile')")
            try await browser.tab(to: "document.getElementById('person')")
            try await browser.type("user-7")
            try await browser.press("Enter")
            try await browser.wait(for: "document.querySelectorAll('path.curve').length === 3")
            #expect(try await browser.value("document.querySelector('h1').textContent") == "user-7")
            // The table is the service's answer.
            let found: Interests = try await client.get("/v1/users/user-7/interests").json()
            let topics = try await browser.value(
                "[...document.querySelectorAll('main table')][0].querySelectorAll('tbody td:first-child').length")
            #expect(topics == "\(found.interests.count)")
            let first = try await browser.value("document.querySelector('main tbody td:first-child').textContent")
            #expect(found.interests.map(\.topic).contains(first))
            // The curve goes through numbers, and falls.
            let path = try await browser.value("document.querySelector('path.curve.two').getAttribute('d')")
            #expect(path.count > 200 && !path.contains("NaN"))
            try await browser.wait(for: "[...document.querySelectorAll('h2')].some(h => h.textContent === 'Why')")
            #expect(
                try await browser.value("document.getElementById('why').textContent.includes('tells no causes apart')")
                    == "true")
            #expect(
                try await browser.value("document.getElementById('why').textContent.includes('without last touch')")
                    == "true")

            let before: Versions = try await client.get("/v1/models").json()
            let champion = try #require(before.models.first { $0.labels.contains("champion") }?.version)
            let other = try #require(before.models.first { !$0.labels.contains("champion") }?.version)
            try await browser.tab(to: "[...document.querySelectorAll('nav a')][2]")
            try await browser.press("Enter")
            try await browser.wait(for: "!!document.querySelector('[data-promote]')")
            try await browser.tab(to: "document.querySelector('[data-promote=\"\(other)\"]')")
            // Who thinks better of it changes nothing.
            try await browser.press("Enter")
            try await browser.wait(for: "document.getElementById('ask').open")
            try await browser.press("Escape")
            try await browser.wait(for: "!document.getElementById('ask').open")
            #expect(try own.service.registry.model(.interest).version == champion)
            try await browser.tab(to: "document.querySelector('[data-promote=\"\(other)\"]')")
            try await browser.press("Enter")
            try await browser.wait(for: "document.getElementById('ask').open")
            try await browser.tab(to: "document.getElementById('ask-yes')")
            try await browser.press("Enter")
            try await browser.wait(for: "!!document.querySelector('[data-promote=\"\(champion)\"]')")
            #expect(try own.service.registry.model(.interest).version == other)
            try await browser.tab(to: "document.querySelector('[data-rollback=\"interest\"]')")
            try await browser.press("Enter")
            try await browser.wait(for: "document.getElementById('ask').open")
            try await browser.tab(to: "document.getElementById('ask-yes')")
            try await browser.press("Enter")
            try await browser.wait(for: "!!document.querySelector('[data-promote=\"\(other)\"]')")
            #expect(try own.service.registry.model(.interest).version == champion)
            let (complaints, requests) = (await browser.complaints, await browser.requests)
            #expect(complaints.isEmpty, "\(complaints)")
            #expect(
                try await browser.value(
                    "document.body.innerText.includes('null') || document.body.innerText.includes('undefined')")
                    == "false")
            #expect(!requests.isEmpty && requests.allSatisfy { $0.hasPrefix(address + "/") || $0.hasPrefix("data:") })
        }
    }

    @Test(
        "of a log that ended long ago the pages are as of its end, say so, and as of any other moment or now when asked"
    )
    func oldLog() async throws {
        try await with(isOld: true) { own, client, browser, address in
            struct Rows: Decodable {
                struct Row: Decodable { let interestedNow: Int }
                let topics: [Row]
            }
            struct Status: Decodable { let newestEventAt: String }
            let end = try #require(TestService.records.map(\.time).max())
            let status: Status = try await client.get("/v1/status").json()
            #expect(status.newestEventAt == TimeFormat.rfc3339(end))
            let interested =
                "[...document.querySelectorAll('main table')[0].querySelectorAll('tbody tr')].map(r => r.cells[3].textContent).join()"
            func shown() async throws -> String {
                try await browser.wait(for: "document.querySelectorAll('main table').length >= 1")
                return try await browser.value(interested)
            }
            func expected(at moment: String) async throws -> String {
                let rows: Rows = try await client.get("/v1/topics?at=\(moment)").json()
                return rows.topics.map { "\($0.interestedNow)" }.joined(separator: ",")
            }
            try await browser.open(address + "/")
            let atEnd = try await shown()
            #expect(try await atEnd == expected(at: status.newestEventAt) && atEnd.contains { $0 > "0" && $0 <= "9" })
            #expect(
                try await browser.value(
                    "document.getElementById('stale').textContent.startsWith('The newest event is ')")
                    == "true")
            // A moment in the middle.
            let middle = TimeFormat.rfc3339((end - 40 * 86_400 * EventLog.second) / 1_000_000 * 1_000_000)
            _ = try await browser.value(
                "(m => { m.value = '\(middle.prefix(19))'; return m.dispatchEvent(new Event('change')); })(document.getElementById('moment'))"
            )
            try await browser.wait(for: "document.getElementById('stale').hidden")
            try await browser.wait(for: "document.querySelectorAll('main table').length >= 1")
            #expect(try await shown() == expected(at: middle))
            // A person's page is of the same moment.
            _ = try await browser.value("location.hash = '#/user/user-7'")
            try await browser.wait(for: "document.querySelectorAll('path.curve').length === 3")
            let found: Interests = try await client.get("/v1/users/user-7/interests?at=\(middle)").json()
            let chance = try await browser.value(
                "document.querySelectorAll('main table')[0].rows[1].cells[1].textContent")
            #expect(chance.hasPrefix("\(Int((100 * found.interests[0].returnProbability).rounded()))"))
            _ = try await browser.value("(location.hash = '#/', document.getElementById('moment-now').click(), 1)")
            try await browser.wait(
                for:
                    "document.querySelectorAll('main table').length >= 1 && \(interested).split(',').every(n => n === '0')"
            )
        }
    }

    @Test(
        "at 390 and 1280 pixels, light and dark, nothing leaves the page, every text can be read, and names are texts")
    func looks() async throws {
        try await with { _, client, browser, address in
            _ = try await client.execute(uri: "/v1/quality", method: .post)
            _ = try await client.execute(uri: "/v1/quality", method: .post)
            let evil = Self.evil.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            for (width, isDark) in [(390, false), (390, true), (1_280, false), (1_280, true)] {
                for place in ["", "quality", "models", "user/user-3", "user/\(evil)/\(evil)", "user/nobody", "no-such"]
                {
                    try await browser.open("about:blank")
                    try await browser.open("\(address)/#/\(place)", width: width, isDark: isDark)
                    try await browser.wait(
                        for:
                            "location.href !== 'about:blank' && !!document.querySelector('h1') && !document.querySelector('main').innerText.includes('Asking ...') && !document.querySelector('main').innerText.includes('Looking over')"
                    )
                    let facts = try await browser.value(
                        """
                        (() => {
                          const wide = document.documentElement.scrollWidth > innerWidth;
                          const small = [...document.querySelectorAll('main *, header *')].filter(e => e.childNodes.length && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).some(e => {
                            const svg = e.ownerSVGElement;
                            const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
                            return parseFloat(getComputedStyle(e).fontSize) * scale < 11;
                          });
                          const outside = [...document.querySelectorAll('svg text')].some(t => {
                            const own = t.getBoundingClientRect(), all = t.ownerSVGElement.getBoundingClientRect();
                            return own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 || own.bottom > all.bottom + 1;
                          });
                          const broken = [...document.querySelectorAll('path.curve')].some(p => /NaN|Infinity/.test(p.getAttribute('d')));
                          const holes = /\\b(null|undefined|NaN)\\b/.test(document.body.innerText);
                          const images = document.querySelectorAll('img').length;
                          const background = getComputedStyle(document.body).backgroundColor;
                          return [wide, small, outside, broken || holes, images, background].join();
                        })()
                        """)
                    let background = isDark ? "rgb(20, 23, 29)" : "rgb(255, 255, 255)"
                    #expect(facts == "false,false,false,false,0,\(background)", "\(width) \(place)")
                    if let folder = ProcessInfo.processInfo.environment["WANE_SCREENSHOTS"] {
                        try await browser.screenshot(
                            "\(folder)/\(width)-\(isDark)-\(place.prefix(12).replacing("/", with: "-")).png")
                    }
                }
            }
            let complaints = await browser.complaints.filter {
                !$0.contains("404") && !$0.contains("503") && !$0.contains("409")
            }
            #expect(complaints.isEmpty, "\(complaints)")
        }
    }

    @Test("where a key is asked for, the page asks for it, uses it, and says when it does not do")
    func key() async throws {
        try await with { own, _, browser, address in
            let (key, secret) = StoredKey.make(role: .admin, name: "test")
            try await own.store.add(key)
            await own.service.keysChanged()
            try await browser.open(address + "/#/models")
            try await browser.wait(for: "document.querySelector('main').innerText.includes('asks for a key')")
            try await browser.tab(to: "document.getElementById('key')")
            try await browser.press("Enter")
            try await browser.wait(for: "document.getElementById('ask').open")
            try await browser.tab(to: "document.getElementById('ask-input')")
            try await browser.type(secret)
            try await browser.press("Enter")
            try await browser.wait(for: "!!document.querySelector('[data-promote]')")
            #expect(try await browser.value("document.documentElement.outerHTML.includes('\(secret)')") == "false")
            #expect(try await browser.value("location.href").contains(secret) == false)
        }
    }
}
