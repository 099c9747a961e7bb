import CArrow
import Foundation

/// The loaded Arrow C++: opened once, when a file first needs it.
enum ArrowLibrary {
    private static let table: Result<SharedTable, LibraryError> = load()

    private struct LibraryError: Error { let reason: String }

    /// The function table; constant once loaded, so any thread may read it.
    private struct SharedTable: @unchecked Sendable {
        let pointer: UnsafePointer<ca_api>
    }

    /// - Parameter file: what is to be read, for the error.
    static func api(for file: String) throws(LogError) -> ca_api {
        switch table {
        case .success(let table): return table.pointer.pointee
        case .failure(let error): throw .unsupported(file: file, reason: error.reason)
        }
    }

    private static func load() -> Result<SharedTable, LibraryError> {
        var tried: [String] = []
        for path in candidates() where FileManager.default.fileExists(atPath: path) {
            var message = [CChar](repeating: 0, count: 1_024)
            if let pointer = ca_load(path, &message, message.count) { return .success(SharedTable(pointer: pointer)) }
            let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            tried.append("\(path): \(String(decoding: text, as: UTF8.self))")
        }
        let reason =
            tried.isEmpty
            ? "it needs Arrow, and there is no libcarrow.so beside the program; build it with `swift build --product carrow`"
            : "it needs Arrow, which cannot be opened: " + tried.joined(separator: "; ")
                + "; run Scripts/bootstrap, or set ARROW and build again"
        return .failure(LibraryError(reason: reason))
    }

    /// `WANE_CARROW` where set, else beside the executable, else beside the bundle of tests.
    private static func candidates() -> [String] {
        if let named = ProcessInfo.processInfo.environment["WANE_CARROW"] { return [named] }
        let places = [try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")]
        let folders = (places.compactMap(\.self) + CommandLine.arguments.filter { $0.hasSuffix(".xctest") })
            .map { URL(fileURLWithPath: $0).deletingLastPathComponent() }
        return folders.map { $0.appendingPathComponent("libcarrow.so").path }
    }
}

extension ca_api {
    /// What went wrong last on this thread.
    var fault: String { last_error().map { String(cString: $0) } ?? "" }
}

/// A file of a file system that Arrow knows, such as `s3://bucket/visits.csv`, as bytes.
final class ArrowFile: ByteSource {
    private let api: ca_api
    private let input: ca_input
    private let file: String
    /// Bytes in all, where that is known.
    let size: Int?

    init(uri: String) throws(LogError) {
        api = try ArrowLibrary.api(for: uri)
        guard let input = api.open(uri) else {
            throw .cannotOpen(file: uri, reason: api.fault)
        }
        self.input = input
        file = uri
        let size = api.size(input)
        self.size = size < 0 ? nil : Int(size)
    }

    deinit { api.close(input) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        let got = api.read(input, buffer.baseAddress, Int64(buffer.count))
        guard got >= 0 else { throw .cannotRead(file: file, reason: api.fault) }
        return Int(got)
    }

    /// The files below a folder, in the order of their names, or the file itself.
    static func list(_ uri: String) throws(LogError) -> [String] {
        let api = try ArrowLibrary.api(for: uri)
        guard let list = api.list(uri) else {
            throw .cannotOpen(file: uri, reason: api.fault)
        }
        defer { api.free_list(list) }
        return (0..<api.list_count(list)).map { api.list_item(list, $0).map { String(cString: $0) } ?? "" }
    }
}
