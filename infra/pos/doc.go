// Package pos holds the readers of other systems' data, one folder each. A reader turns records that makegood didn't
// ask for into events of the contract, and says of every record what became of it.
//
// What each of them promises:
//   - Ids are made of the records' own. Who reads the same file twice changes nothing.
//   - Every record has one category, and the categories add up to the file. What is not booked is reported with its
//     amount.
//   - Every event is one that the gateway takes. The tests of this package hold the readers and the simulator to that.
//   - What the file doesn't hold and the books need (costs, minutes) is an assumption that the reader states.
//
// A reader imports domain alone. It holds the file in memory where one record explains another.
package pos
