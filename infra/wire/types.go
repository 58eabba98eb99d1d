package wire

import "github.com/makegood/makegood/domain"

// store holds what a Decoder reads into, and uses again for the next event.
type store struct {
	orderPlaced          domain.OrderPlaced
	promiseChanged       domain.PromiseChanged
	orderDelivered       domain.OrderDelivered
	orderCancelled       domain.OrderCancelled
	orderChanged         domain.OrderChanged
	orderCharged         domain.OrderCharged
	feedbackReceived     domain.FeedbackReceived
	errorReported        domain.ErrorReported
	errorClassified      domain.ErrorClassified
	errorRejected        domain.ErrorRejected
	goodsScrapped        domain.GoodsScrapped
	redeliveryDispatched domain.RedeliveryDispatched
	redeliveryCompleted  domain.RedeliveryCompleted
	labourSpent          domain.LabourSpent
	refundIssued         domain.RefundIssued
	concessionGranted    domain.ConcessionGranted
	voucherRedeemed      domain.VoucherRedeemed
	voucherExpired       domain.VoucherExpired
	returnReceived       domain.ReturnReceived
	salvageSold          domain.SalvageSold
	disputeOpened        domain.DisputeOpened
	disputeWon           domain.DisputeWon
	disputeLost          domain.DisputeLost
	marketplaceCharged   domain.MarketplaceCharged
	claimFiled           domain.ClaimFiled
	claimAccepted        domain.ClaimAccepted
	claimSettled         domain.ClaimSettled
	claimClosed          domain.ClaimClosed
	rateSet              domain.RateSet
	qualitySpent         domain.QualitySpent
	periodClosed         domain.PeriodClosed
	periodReopened       domain.PeriodReopened
	deadLetterReplayed   domain.DeadLetterReplayed
	deadLetterDiscarded  domain.DeadLetterDiscarded
	booksRebuilt         domain.BooksRebuilt
	factDecided          domain.FactDecided
	eventVoided          domain.EventVoided

	orderLines     []domain.OrderLine
	deliveredLines []domain.DeliveredLine
	errorLines     []domain.ErrorLine
	goodsLines     []domain.GoodsLine
	returnLines    []domain.ReturnLine
	removedLines   []domain.RemovedLine
	tenders        []domain.Tender
	components     []domain.Component
}

// codec reads and writes the data of one type of event.
type codec struct {
	read  func(d *Decoder) (domain.Data, uint64)
	write func(b []byte, e *domain.Event) []byte
}

// codecs holds one per type. It is filled by init because a void's codec reads events, and so refers to all of them.
var codecs [256]codec

func init() {
	for t, c := range map[domain.Type]codec{
		domain.TypeOrderPlaced:          data(orderPlaced, func(s *store) *domain.OrderPlaced { return &s.orderPlaced }),
		domain.TypePromiseChanged:       data(promiseChanged, func(s *store) *domain.PromiseChanged { return &s.promiseChanged }),
		domain.TypeOrderDelivered:       data(orderDelivered, func(s *store) *domain.OrderDelivered { return &s.orderDelivered }),
		domain.TypeOrderCancelled:       data(orderCancelled, func(s *store) *domain.OrderCancelled { return &s.orderCancelled }),
		domain.TypeOrderChanged:         data(orderChanged, func(s *store) *domain.OrderChanged { return &s.orderChanged }),
		domain.TypeOrderCharged:         data(orderCharged, func(s *store) *domain.OrderCharged { return &s.orderCharged }),
		domain.TypeFeedbackReceived:     data(feedbackReceived, func(s *store) *domain.FeedbackReceived { return &s.feedbackReceived }),
		domain.TypeErrorReported:        data(errorReported, func(s *store) *domain.ErrorReported { return &s.errorReported }),
		domain.TypeErrorClassified:      data(errorClassified, func(s *store) *domain.ErrorClassified { return &s.errorClassified }),
		domain.TypeErrorRejected:        data(errorRejected, func(s *store) *domain.ErrorRejected { return &s.errorRejected }),
		domain.TypeGoodsScrapped:        data(goodsScrapped, func(s *store) *domain.GoodsScrapped { return &s.goodsScrapped }),
		domain.TypeRedeliveryDispatched: data(redeliveryDispatched, func(s *store) *domain.RedeliveryDispatched { return &s.redeliveryDispatched }),
		domain.TypeRedeliveryCompleted:  data(redeliveryCompleted, func(s *store) *domain.RedeliveryCompleted { return &s.redeliveryCompleted }),
		domain.TypeLabourSpent:          data(labourSpent, func(s *store) *domain.LabourSpent { return &s.labourSpent }),
		domain.TypeRefundIssued:         data(refundIssued, func(s *store) *domain.RefundIssued { return &s.refundIssued }),
		domain.TypeConcessionGranted:    data(concessionGranted, func(s *store) *domain.ConcessionGranted { return &s.concessionGranted }),
		domain.TypeVoucherRedeemed:      data(voucherRedeemed, func(s *store) *domain.VoucherRedeemed { return &s.voucherRedeemed }),
		domain.TypeVoucherExpired:       data(voucherExpired, func(s *store) *domain.VoucherExpired { return &s.voucherExpired }),
		domain.TypeReturnReceived:       data(returnReceived, func(s *store) *domain.ReturnReceived { return &s.returnReceived }),
		domain.TypeSalvageSold:          data(salvageSold, func(s *store) *domain.SalvageSold { return &s.salvageSold }),
		domain.TypeDisputeOpened:        data(disputeOpened, func(s *store) *domain.DisputeOpened { return &s.disputeOpened }),
		domain.TypeDisputeWon:           data(disputeWon, func(s *store) *domain.DisputeWon { return &s.disputeWon }),
		domain.TypeDisputeLost:          data(disputeLost, func(s *store) *domain.DisputeLost { return &s.disputeLost }),
		domain.TypeMarketplaceCharged:   data(marketplaceCharged, func(s *store) *domain.MarketplaceCharged { return &s.marketplaceCharged }),
		domain.TypeClaimFiled:           data(claimFiled, func(s *store) *domain.ClaimFiled { return &s.claimFiled }),
		domain.TypeClaimAccepted:        data(claimAccepted, func(s *store) *domain.ClaimAccepted { return &s.claimAccepted }),
		domain.TypeClaimSettled:         data(claimSettled, func(s *store) *domain.ClaimSettled { return &s.claimSettled }),
		domain.TypeClaimClosed:          data(claimClosed, func(s *store) *domain.ClaimClosed { return &s.claimClosed }),
		domain.TypeRateSet:              data(rateSet, func(s *store) *domain.RateSet { return &s.rateSet }),
		domain.TypeQualitySpent:         data(qualitySpent, func(s *store) *domain.QualitySpent { return &s.qualitySpent }),
		domain.TypePeriodClosed:         data(periodClosed, func(s *store) *domain.PeriodClosed { return &s.periodClosed }),
		domain.TypePeriodReopened:       data(periodReopened, func(s *store) *domain.PeriodReopened { return &s.periodReopened }),
		domain.TypeDeadLetterReplayed:   data(deadLetterReplayed, func(s *store) *domain.DeadLetterReplayed { return &s.deadLetterReplayed }),
		domain.TypeDeadLetterDiscarded:  data(deadLetterDiscarded, func(s *store) *domain.DeadLetterDiscarded { return &s.deadLetterDiscarded }),
		domain.TypeBooksRebuilt:         data(booksRebuilt, func(s *store) *domain.BooksRebuilt { return &s.booksRebuilt }),
		domain.TypeFactDecided:          data(factDecided, func(s *store) *domain.FactDecided { return &s.factDecided }),
		domain.TypeEventVoided:          data(eventVoided, func(s *store) *domain.EventVoided { return &s.eventVoided }),
	} {
		codecs[t] = c
	}
}

func data[T any, P interface {
	*T
	domain.Data
}](of *shape[T], in func(*store) *T) codec {
	return codec{
		read: func(d *Decoder) (domain.Data, uint64) {
			t := in(&d.store)
			var empty T
			*t = empty
			sum := of.read(d, t)
			return P(t), sum
		},
		write: func(b []byte, e *domain.Event) []byte { return of.write(b, e, e.Data.(P)) },
	}
}
