import CTorch
import Foundation

/// The loaded libtorch: opened once, at the first use of a tensor.
public enum Runtime {
    private static let table: Result<SharedTable, TorchError> = load()

    /// The function table; constant once loaded, so any thread may read it.
    private struct SharedTable: @unchecked Sendable {
        let pointer: UnsafePointer<ct_api>
    }

    static var api: ct_api {
        get throws(TorchError) { try table.get().pointer.pointee }
    }

    private static func load() -> Result<SharedTable, TorchError> {
        // Threads that wait give way, unless the caller has said otherwise. The OpenMP runtime reads this when it is opened; by
        // default its threads spin, and beside other busy processes two take twice as long as one.
        setenv("OMP_WAIT_POLICY", "passive", 0)
        setenv("GOMP_SPINCOUNT", "0", 0)
        var tried: [String] = []
        for path in candidates() where FileManager.default.fileExists(atPath: path) {
            var message = [CChar](repeating: 0, count: 1_024)
            if let pointer = ct_load(path, &message, message.count) {
                // Before the first tensor; without it training is slower, not wrong.
                _ = pointer.pointee.keep_freed_pages()
                return .success(SharedTable(pointer: pointer))
            }
            let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            tried.append("\(path): \(String(decoding: text, as: UTF8.self))")
        }
        let reason =
            tried.isEmpty
            ? "no libctorch.so beside the program; build it with `swift build --product ctorch`"
            : tried.joined(separator: "; ") + "; run Scripts/bootstrap, or set LIBTORCH and build again"
        return .failure(TorchError(operation: "loading libtorch", message: reason))
    }

    /// `WANE_CTORCH` where set, else beside the executable, else beside the bundle of tests.
    private static func candidates() -> [String] {
        if let named = ProcessInfo.processInfo.environment["WANE_CTORCH"] { return [named] }
        let places = [try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")]
        let folders = (places.compactMap(\.self) + CommandLine.arguments.filter { $0.hasSuffix(".xctest") })
            .map { URL(fileURLWithPath: $0).deletingLastPathComponent() }
        return folders.map { $0.appendingPathComponent("libctorch.so").path }
    }

    /// Turns the shim's code into an error that names the operation.
    static func check(_ code: Int32, _ operation: @autoclosure () -> String, _ api: ct_api) throws(TorchError) {
        guard code != 0 else { return }
        throw TorchError(operation: operation(), message: String(cString: api.last_error()))
    }

    /// libtorch's version, such as `2.13.0`.
    public static var version: String {
        get throws(TorchError) { String(cString: try api.version()) }
    }

    /// Threads that one operator may use.
    public static var threads: Int {
        get throws(TorchError) { Int(try api.threads()) }
    }

    public static func setThreads(_ count: Int) throws(TorchError) {
        let api = try api
        try check(api.set_threads(Int64(max(1, count))), "set threads", api)
    }

    /// Starts libtorch's own generator (weights, dropout) from a seed.
    public static func seed(_ seed: UInt64) throws(TorchError) {
        let api = try api
        try check(api.seed(seed), "seed", api)
    }

    /// The state of libtorch's CPU generator, for a checkpoint.
    public static func randomState() throws(TorchError) -> Tensor {
        let api = try api
        var out: ct_tensor?
        try check(api.random_state(&out), "random state", api)
        return try Tensor(owning: out, api)
    }

    public static func setRandomState(_ state: Tensor) throws(TorchError) {
        let api = try api
        try check(api.set_random_state(state.raw), "set random state", api)
    }

    public static var cudaAvailable: Bool {
        get throws(TorchError) { try api.cuda_available() }
    }

    /// Whether gradients are recorded on this thread.
    static var recordsGradients: Bool {
        get throws(TorchError) { try api.grad_enabled() }
    }

    /// Tensors that Swift holds at the moment, over the whole process.
    public static var liveHandles: Int {
        get throws(TorchError) { Int(try api.live_handles()) }
    }

}

/// Runs `body` without recording gradients on this thread.
public func withoutGradients<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    guard let api = try? Runtime.api else { return try body() }
    let previous = api.set_grad_enabled(false)
    defer { _ = api.set_grad_enabled(previous) }
    return try body()
}
