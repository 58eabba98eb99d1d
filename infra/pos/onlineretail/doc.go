// Package onlineretail turns the rows of the UCI Online Retail data set (Chen, Sain and Guo, 2012: a year of a British
// wholesaler's invoices) into makegood's events. It reads the file as an accountant would, and says of every row what
// was made of it: the categories of an Account are disjoint, and their rows add up to those of the file.
//
// What is decided here, and why:
//
//   - A sale invoice is one order, with the invoice's number. Rows of one number that name another customer or another
//     day are an order of their own, with the number and "~2". Prices are taken as net: the file has no tax.
//   - A row that repeats another in all eight columns is the same line told again. It is counted and not booked, be it
//     a sale or a cancellation.
//   - POST, DOT and C2 are the delivery fee of their order, or a line without cost where the invoice has nothing else.
//     M (typed by hand), S (samples sold), PADS and recharged BANK CHARGES are lines without cost.
//   - A line at price zero is a gift when its invoice charges for something or names a customer: it costs what its item
//     usually costs. Without either nobody bought anything: it is stock that was found, for which the contract has no
//     event, and is reported apart.
//   - A cancellation names no sale. Each of its rows goes to the customer's latest earlier sale of that code that has
//     enough left to cancel; a charge must also have been charged at that price, since its quantity means nothing. It
//     is a case of that order: the error (kind unspecified: the till doesn't say), the refund, the goods back in stock
//     as saleable, somebody's minutes. Charges are refunded without a return.
//   - A cancellation of a whole line, at its price, within Options.KeyingWindow of its sale is a mistake of the
//     keyboard put right (C581484 and C541433 are the largest). Nothing had left the house: it is order.cancelled by
//     the customer, of that line, or of the whole where the order has no other. It takes sale and cost back as the
//     order booked them and is no failure cost. Postage that is undone in this way is a line of its order.
//   - A cancellation that finds no sale (no customer, or a sale before the file begins) is reported with its amount,
//     goods apart from charges. The contract ties a refund to an order, and no order is made up.
//   - A row of negative quantity and price zero is a write-off: a case found before delivery, of the kind that the
//     clerk's words say, and the goods scrapped at their usual cost.
//   - Discounts (D), samples given away (S on a cancellation), fees of Amazon and of banks, the charity's commission
//     (CRUK), bad debt (B, the A… invoices) and gift vouchers (a liability until they are redeemed) are no orders and
//     no failures. They are reported apart.
//
// Every order and every case is told at the time of its invoice: the file knows no other. There are no deliveries and
// no promises in it, so reports on them stay empty.
//
// Ids are the same as ever. What tells of a keying mistake says since version 2 of the contract which line it takes off
// (398 events of the year, and 4 orders whose postage became a line). Over books that were imported before, these are
// conflicts: the first recorded stays, and is flagged as a part that nobody can place.
//
// Importing the year takes some 40 MB and a second before the first event; the events are made one by one.
package onlineretail
