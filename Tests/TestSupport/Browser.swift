import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A real browser without a window, driven over its own pipe (Chrome DevTools Protocol): keys are pressed and texts typed as a person would.
public actor Browser {
    public static let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.fileExists(atPath: $0) }

    public struct Failure: Error, CustomStringConvertible { public let description: String }

    private let process = Process()
    private let folder: URL
    private let input: FileHandle
    private var next = 0
    private var waiting: [Int: CheckedContinuation<Data, any Error>] = [:]
    private var session: String?
    /// What was asked of any host, and what the page complained of.
    public private(set) var requests: [String] = []
    public private(set) var complaints: [String] = []

    public init() throws {
        guard let program = Self.program else {
            throw Failure(description: "no browser is installed; Scripts/bootstrap tests brings one")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "wane-browser-\(UUID().uuidString)")
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let paths = ["in", "out"].map { folder.appendingPathComponent($0).path }
        let ends = paths.map { path -> Int32 in
            mkfifo(path, 0o600)
            // Open both ways, so that nobody waits for the other to open it.
            return FileDescriptor.open(path)
        }
        input = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        let output = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "exec \"$0\" \"$@\" 3<\(paths[0]) 4>\(paths[1])", program, "--headless=new", "--no-sandbox",
            "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", "--user-data-dir=\(folder.path)/profile",
            "about:blank",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread { [weak self] in
            var buffer = Data()
            while true {
                let part = output.availableData
                guard !part.isEmpty else { return }
                buffer.append(part)
                while let end = buffer.firstIndex(of: 0) {
                    let message = buffer[buffer.startIndex..<end]
                    buffer = buffer[(end + 1)...]
                    let data = Data(message)
                    guard let self else { return }
                    Task { await self.received(data) }
                }
            }
        }.start()
    }

    private func received(_ data: Data) {
        guard let message = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return }
        if let id = message["id"] as? Int {
            if let error = message["error"] as? [String: Any] {
                waiting.removeValue(forKey: id)?.resume(throwing: Failure(description: "\(error)"))
            } else {
                waiting.removeValue(forKey: id)?.resume(returning: data)
            }
            return
        }
        let parameters = message["params"] as? [String: Any]
        switch message["method"] as? String {
        case "Network.requestWillBeSent":
            if let request = parameters?["request"] as? [String: Any], let url = request["url"] as? String {
                requests.append(url)
            }
        case "Runtime.exceptionThrown": complaints.append("\(parameters ?? [:])")
        case "Log.entryAdded":
            let entry = parameters?["entry"] as? [String: Any]
            if entry?["level"] as? String == "error" {
                complaints.append("\(entry?["text"] ?? "") \(entry?["url"] ?? "")")
            }
        default: break
        }
    }

    @discardableResult
    private func call(_ method: String, _ parameters: [String: Any] = [:], inPage: Bool = true) async throws -> Data {
        next += 1
        var message: [String: Any] = ["id": next, "method": method, "params": parameters]
        if inPage, let session { message["sessionId"] = session }
        let data = try JSONSerialization.data(withJSONObject: message) + [0]
        let id = next
        return try await withCheckedThrowingContinuation { continuation in
            waiting[id] = continuation
            do { try input.write(contentsOf: data) } catch {
                waiting.removeValue(forKey: id)?.resume(throwing: error)
            }
        }
    }

    private static func result(_ data: Data) -> [String: Any] {
        ((try? JSONSerialization.jsonObject(with: data) as? [String: Any])?["result"] as? [String: Any]) ?? [:]
    }

    /// Opens a page of a width, in light or dark.
    public func open(_ url: String, width: Int = 1280, isDark: Bool = false) async throws {
        if session == nil {
            let made = try await call("Target.createTarget", ["url": "about:blank"], inPage: false)
            let target = Self.result(made)["targetId"] as? String ?? ""
            let attached = try await call(
                "Target.attachToTarget", ["targetId": target, "flatten": true], inPage: false)
            session = Self.result(attached)["sessionId"] as? String
            for domain in ["Page", "Runtime", "Network", "Log"] { try await call("\(domain).enable") }
        }
        try await call(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false])
        try await call(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]]])
        try await call("Page.navigate", ["url": url])
    }

    /// What an expression of the page's own language gives, as text.
    public func value(_ expression: String) async throws -> String {
        let data = try await call(
            "Runtime.evaluate",
            [
                "expression": "(async () => String(await (\(expression))))()", "awaitPromise": true,
                "returnByValue": true,
            ])
        let result = Self.result(data)
        if let fault = result["exceptionDetails"] { throw Failure(description: "\(expression): \(fault)") }
        return (result["result"] as? [String: Any])?["value"] as? String ?? ""
    }

    /// Waits until an expression is true.
    public func wait(for expression: String, seconds: Double = 60) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if (try? await value(expression)) == "true" { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure(
            description:
                "not within \(seconds) s: \(expression); the page says \(try await value("document.body.innerText"))")
    }

    /// Types into what has the focus.
    public func type(_ text: String) async throws { try await call("Input.insertText", ["text": text]) }

    public func press(_ key: String) async throws {
        let code = ["Enter": 13, "Tab": 9, "Escape": 27, " ": 32][key] ?? 0
        for type in ["keyDown", "keyUp"] {
            var parameters: [String: Any] = ["type": type, "key": key, "windowsVirtualKeyCode": code]
            if type == "keyDown", key == "Enter" { parameters["text"] = "\r" }
            if type == "keyDown", key == " " { parameters["text"] = " " }
            try await call("Input.dispatchKeyEvent", parameters)
        }
    }

    /// Moves the focus as the tabulator does until it is on what an expression finds.
    public func tab(to expression: String, atMost steps: Int = 80) async throws {
        for _ in 0..<steps {
            if try await value("document.activeElement === (\(expression))") == "true" { return }
            try await press("Tab")
        }
        throw Failure(description: "the tabulator does not reach \(expression)")
    }

    public func screenshot(_ path: String) async throws {
        let data = try await call("Page.captureScreenshot", ["captureBeyondViewport": true])
        let text = Self.result(data)["data"] as? String ?? ""
        try Data(base64Encoded: text)?.write(to: URL(fileURLWithPath: path))
    }

    public func close() {
        process.terminate()
        try? FileManager.default.removeItem(at: folder)
    }
}

private enum FileDescriptor {
    static func open(_ path: String) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, O_RDWR | O_CLOEXEC)
        #else
            Darwin.open(path, O_RDWR | O_CLOEXEC)
        #endif
    }
}
