import TestSupport
import Testing

/// A test that uses libtorch in this process, which only one at a time may.
struct TorchTrait: TestTrait, SuiteTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await Turn.torch.run(function)
    }
}

extension Trait where Self == TorchTrait {
    static var usesTorch: TorchTrait { TorchTrait() }
}
