/// Predictions put in order once, so that measures over many resamples of people cost O(n) each.
///
/// Ties share one threshold: every measure of order counts them as scikit-learn does.
struct Ranked {
    /// Places from the highest prediction to the lowest.
    let order: [Int32]
    /// Whether the place begins a new value.
    let starts: [Bool]

    init(_ predictions: [Double]) {
        order = predictions.indices.map(Int32.init).sorted { predictions[Int($0)] > predictions[Int($1)] }
        var previous = Double.nan
        starts = order.map { index in
            defer { previous = predictions[Int(index)] }
            return predictions[Int(index)] != previous
        }
    }
}
