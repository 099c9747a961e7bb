import Foundation
import Torch
import WaneBaselines
import WaneCurves
import WaneState
import WaneTasks

/// A query set as tensors, with the scaled features.
public struct QueryTensors {
    /// `[queries, FeatureSchema.lastEventCount]`.
    let features: Tensor
    /// int64 `[queries]`: the model's row of each topic.
    let topics: Tensor
    /// `[queries]`: logarithms of elapsed times in horizons.
    let logElapsedSinceTopic: Tensor
    let logElapsedSinceEvent: Tensor
    /// `[queries]`, in the person's own hours where they are followed: the logarithm of the time since the last touch, and what of the
    /// horizon and of the window counts, in horizons.
    let logOwnSinceTopic: Tensor
    let ownHorizon: Tensor
    let ownWindow: Tensor
    /// `[queries]`: 1 where the person came back, and the degree; zeros where the future is not known.
    let didReturn: Tensor
    let degree: Tensor
    /// `[queries]`: windows within which training asks about a return too, in horizons, and 1 where it came.
    let window: Tensor
    let didReturnWithin: Tensor
    /// `[queries, CauseEffects.width]`, where causes are measured.
    let causes: Tensor?
    /// `[queries, 1]`, where pairs' rates are followed.
    let rates: Tensor?

    /// - Parameters:
    ///   - topicRow: the model's row of each topic, by the topic numbers of the queries.
    ///   - horizon: microseconds.
    ///   - windows: of ``ReturnWindows``, for training.
    public init(
        _ queries: QuerySet, topicRow: [Int64], scaling: FeatureScaling, horizon: Int64, windows: [Float]? = nil
    ) throws(TorchError) {
        let seconds = Float(Double(horizon) / 1e6)
        try self.init(
            features: queries.lastEventFeatures, topics: queries.topic.map { topicRow[Int($0)] },
            elapsedSinceTopic: queries.elapsedSinceTopic, elapsedSinceEvent: queries.elapsedSinceEvent,
            didReturn: queries.didReturn, degree: queries.degree, windows: windows ?? [],
            didReturnWithin: windows.map { zip(queries.timeToReturn, $0).map { $0 <= $1 * seconds ? 1 : 0 } } ?? [],
            causes: queries.causes, rates: queries.rates, hours: queries.hours, moments: queries.moment,
            scaling: scaling, horizon: horizon)
    }

    /// Questions about the future: nothing is known of what came of them.
    ///
    /// - Parameters:
    ///   - features: `[queries, FeatureSchema.lastEventCount]`, row by row, as states give them.
    ///   - topics: the model's rows.
    ///   - elapsedSinceTopic, elapsedSinceEvent: seconds.
    ///   - causes: `[queries, CauseEffects.width]`, or nothing.
    ///   - rates: `[queries]`, or nothing.
    ///   - hours: when people are about, `[queries, 24]`, with the `moments` of the questions in microseconds; or nothing.
    public init(
        features: [Float], topics: [Int64], elapsedSinceTopic: [Float], elapsedSinceEvent: [Float],
        causes: [Float] = [], rates: [Float] = [], hours: [Float] = [], moments: [Int64] = [],
        scaling: FeatureScaling, horizon: Int64
    ) throws(TorchError) {
        let unknown = [Float](repeating: 0, count: topics.count)
        try self.init(
            features: features, topics: topics, elapsedSinceTopic: elapsedSinceTopic,
            elapsedSinceEvent: elapsedSinceEvent, didReturn: unknown, degree: unknown, windows: [], didReturnWithin: [],
            causes: causes, rates: rates, hours: hours, moments: moments, scaling: scaling, horizon: horizon)
    }

    private init(
        features: [Float], topics: [Int64], elapsedSinceTopic: [Float], elapsedSinceEvent: [Float],
        didReturn: [Float], degree: [Float], windows: [Float], didReturnWithin: [Float], causes: [Float],
        rates: [Float],
        hours: [Float], moments: [Int64], scaling: FeatureScaling, horizon: Int64
    ) throws(TorchError) {
        self.features = try scaling.scaled(features)
        self.topics = try Tensor(topics)
        let seconds = Float(Double(horizon) / 1e6)
        func logTime(_ elapsed: [Float]) throws(TorchError) -> Tensor {
            try Tensor(elapsed.map { Foundation.log($0 / seconds + Float(InterestCurve.smallestTime)) })
        }
        logElapsedSinceTopic = try logTime(elapsedSinceTopic)
        logElapsedSinceEvent = try logTime(elapsedSinceEvent)
        var own = (since: elapsedSinceTopic, horizon: [Float](repeating: 1, count: topics.count), window: windows)
        if !hours.isEmpty {
            let unit = Double(horizon) / 1e6
            for row in topics.indices {
                let rhythm = DailyRhythm(shares: hours[row * 24..<(row + 1) * 24])
                let moment = Double(moments[row]) / 1e6
                own.since[row] = Float(rhythm.length(from: moment - Double(elapsedSinceTopic[row]), to: moment))
                own.horizon[row] = Float(rhythm.length(from: moment, to: moment + unit) / unit)
                if !windows.isEmpty {
                    own.window[row] = Float(
                        rhythm.length(from: moment, to: moment + Double(windows[row]) * unit) / unit)
                }
            }
        }
        logOwnSinceTopic = try logTime(own.since)
        (ownHorizon, ownWindow) = (try Tensor(own.horizon), try Tensor(own.window))
        self.didReturn = try Tensor(didReturn)
        self.degree = try Tensor(degree)
        window = try Tensor(windows)
        self.didReturnWithin = try Tensor(didReturnWithin)
        self.causes = causes.isEmpty ? nil : try Tensor(causes, shape: [topics.count, CauseEffects.width])
        self.rates = rates.isEmpty ? nil : try Tensor(rates, shape: [topics.count, 1])
    }
}

/// Mean and deviation of the features in the training part, saved with the model.
public struct FeatureScaling: Codable, Sendable, Equatable {
    public let mean: [Float]
    public let deviation: [Float]

    /// - Parameter features: `[rows, width]`, row by row.
    public init(_ features: [Float], width: Int = FeatureSchema.lastEventCount) {
        let moments = ColumnMoments(features, width: width)
        mean = moments.mean.map { Float($0) }
        deviation = moments.variance.map { $0 > 1e-10 ? Float($0.squareRoot()) : 1 }
    }

    /// Read back from a folder: checked there against the feature schema.
    public init(mean: [Float], deviation: [Float]) {
        self.mean = mean
        self.deviation = deviation
    }

    func scaled(_ features: [Float]) throws(TorchError) -> Tensor {
        let raw = try Tensor(features, shape: [features.count / max(1, mean.count), mean.count])
        // Values far outside the training part's must not dominate.
        return try ((raw - Tensor(mean)) / Tensor(deviation)).clamped(-6, 6)
    }
}
