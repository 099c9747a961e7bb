import Foundation
import WaneCurves

extension RenewalLikelihood {
    /// The deviation of each row's log half-life as far as the data leave it open: the sandwich of the curvature around the scores
    /// of people, since times between touches of one person go together; nothing else of the fit moves. 1 where it does not halve.
    ///
    /// - Parameters:
    ///   - priors: deviations of the priors of a row's numbers.
    ///   - logHalfLife: of a row's numbers.
    func deviationsOfHalfLife(
        _ x: [Double], around: [Double], priors: [Double], _ logHalfLife: ([Double]) -> Double?
    ) -> [Double] {
        used.indices.map { at in
            let place = at * Self.columns
            // `k` stays.
            let columns = RateTable.width
            let own = Array(x[place..<place + columns])
            guard logHalfLife(own) != nil else { return 1 }
            func moved(_ column: Int, _ by: Double) -> [Double] {
                var moved = x
                moved[place + column] += by
                return moved
            }
            func gradient(_ x: [Double]) -> [Double] {
                scores(at, x, around: around).reduce([Double](repeating: 0, count: columns)) { sum, score in
                    zip(sum, score.value).map { $0 + $1 }
                }
            }
            var curvature: [[Double]] = []
            var slope: [Double] = []
            for column in 0..<columns {
                let (up, down) = (moved(column, 1e-3), moved(column, -1e-3))
                var row = zip(gradient(up), gradient(down)).map { -($0 - $1) / 2e-3 }
                row[column] += 1 / (priors[column] * priors[column])
                curvature.append(row)
                let range = place..<place + columns
                let halfLives = (logHalfLife(Array(up[range])), logHalfLife(Array(down[range])))
                slope.append(((halfLives.0 ?? 0) - (halfLives.1 ?? 0)) / 2e-3)
            }
            guard let direction = LinearSystem.solve(curvature, slope) else { return 1 }
            // By person; pairs of a row stand in the order of people, so that the sum is the same each time.
            // The prior counts as one more person.
            var (variance, sum) = (zip(direction, priors).reduce(0) { $0 + $1.0 * $1.0 / ($1.1 * $1.1) }, 0.0)
            var person = -1
            for score in scores(at, x, around: around) {
                if score.person != person {
                    variance += sum * sum
                    (sum, person) = (0, score.person)
                }
                sum += zip(direction, score.value).reduce(0) { $0 + $1.0 * $1.1 }
            }
            variance += sum * sum
            return variance.isFinite && variance > 0 ? min(3, variance.squareRoot()) : 1
        }
    }
}

/// Small systems of linear equations.
enum LinearSystem {
    /// `a x = b` by elimination with pivots; nothing where `a` is singular.
    static func solve(_ a: [[Double]], _ b: [Double]) -> [Double]? {
        var a = zip(a, b).map { $0 + [$1] }
        let n = b.count
        for column in 0..<n {
            guard let pivot = (column..<n).max(by: { abs(a[$0][column]) < abs(a[$1][column]) }),
                abs(a[pivot][column]) > 1e-12
            else { return nil }
            a.swapAt(column, pivot)
            for row in 0..<n where row != column {
                let factor = a[row][column] / a[column][column]
                for place in column...n { a[row][place] -= factor * a[column][place] }
            }
        }
        return (0..<n).map { a[$0][n] / a[$0][$0] }
    }
}
