module @composites {
  func.func public @main(%arg0: tensor<2x4xf32>, %arg1: tensor<4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2xui32>) {
    %0 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
    %1 = stablehlo.multiply %0, %arg0 : tensor<2x4xf32>
    %2 = stablehlo.constant dense<0.3183098861837907> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %4 = stablehlo.multiply %1, %3 : tensor<2x4xf32>
    %5 = stablehlo.round_nearest_even %4 : tensor<2x4xf32>
    %6 = stablehlo.constant dense<3.1416015625> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %8 = stablehlo.multiply %5, %7 : tensor<2x4xf32>
    %9 = stablehlo.subtract %1, %8 : tensor<2x4xf32>
    %10 = stablehlo.constant dense<-8.908910206884002e-06> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %12 = stablehlo.multiply %5, %11 : tensor<2x4xf32>
    %13 = stablehlo.subtract %9, %12 : tensor<2x4xf32>
    %14 = stablehlo.constant dense<-1.6> : tensor<f32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %16 = stablehlo.maximum %13, %15 : tensor<2x4xf32>
    %17 = stablehlo.constant dense<1.6> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %19 = stablehlo.minimum %16, %18 : tensor<2x4xf32>
    %20 = stablehlo.multiply %19, %19 : tensor<2x4xf32>
    %21 = stablehlo.constant dense<2.599751832598997e-06> : tensor<f32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %23 = stablehlo.multiply %22, %20 : tensor<2x4xf32>
    %24 = stablehlo.constant dense<-0.00019806478979563047> : tensor<f32>
    %25 = stablehlo.broadcast_in_dim %24, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %26 = stablehlo.add %23, %25 : tensor<2x4xf32>
    %27 = stablehlo.multiply %26, %20 : tensor<2x4xf32>
    %28 = stablehlo.constant dense<0.008333015417888914> : tensor<f32>
    %29 = stablehlo.broadcast_in_dim %28, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %30 = stablehlo.add %27, %29 : tensor<2x4xf32>
    %31 = stablehlo.multiply %30, %20 : tensor<2x4xf32>
    %32 = stablehlo.constant dense<-0.16666657020578715> : tensor<f32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %34 = stablehlo.add %31, %33 : tensor<2x4xf32>
    %35 = stablehlo.multiply %20, %34 : tensor<2x4xf32>
    %36 = stablehlo.multiply %19, %35 : tensor<2x4xf32>
    %37 = stablehlo.add %19, %36 : tensor<2x4xf32>
    %38 = stablehlo.multiply %37, %37 : tensor<2x4xf32>
    %39 = stablehlo.constant dense<1.0> : tensor<f32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [] : (tensor<f32>) -> tensor<4xf32>
    %41 = stablehlo.constant dense<1.0e-09> : tensor<f32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [] : (tensor<f32>) -> tensor<4xf32>
    %43 = stablehlo.add %arg1, %42 : tensor<4xf32>
    %44 = stablehlo.divide %40, %43 : tensor<4xf32>
    %45 = stablehlo.broadcast_in_dim %44, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
    %46 = stablehlo.multiply %38, %45 : tensor<2x4xf32>
    %47 = stablehlo.add %arg0, %46 : tensor<2x4xf32>
    %48 = stablehlo.multiply %arg0, %arg0 : tensor<2x4xf32>
    %49 = stablehlo.constant dense<0.0> : tensor<f32>
    %50 = stablehlo.reduce(%48 init: %49) applies stablehlo.add across dimensions = [1] : (tensor<2x4xf32>, tensor<f32>) -> tensor<2xf32>
    %51 = stablehlo.reshape %50 : (tensor<2xf32>) -> tensor<2x1xf32>
    %52 = stablehlo.constant dense<0.25> : tensor<f32>
    %53 = stablehlo.broadcast_in_dim %52, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %54 = stablehlo.multiply %51, %53 : tensor<2x1xf32>
    %55 = stablehlo.constant dense<1.0e-06> : tensor<f32>
    %56 = stablehlo.broadcast_in_dim %55, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %57 = stablehlo.add %54, %56 : tensor<2x1xf32>
    %58 = stablehlo.rsqrt %57 : tensor<2x1xf32>
    %59 = stablehlo.broadcast_in_dim %58, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x4xf32>
    %60 = stablehlo.multiply %arg0, %59 : tensor<2x4xf32>
    %61 = stablehlo.multiply %60, %0 : tensor<2x4xf32>
    %62 = stablehlo.constant dense<"0x0000000001000000"> : tensor<2xui32>
    %63 = stablehlo.constant dense<0> : tensor<ui32>
    %64 = stablehlo.broadcast_in_dim %63, dims = [] : (tensor<ui32>) -> tensor<2xui32>
    %65 = stablehlo.iota dim = 0 : tensor<2xui32>
    %66 = stablehlo.slice %62 [0:1] : (tensor<2xui32>) -> tensor<1xui32>
    %67 = stablehlo.reshape %66 : (tensor<1xui32>) -> tensor<ui32>
    %68 = stablehlo.broadcast_in_dim %67, dims = [] : (tensor<ui32>) -> tensor<2xui32>
    %69 = stablehlo.add %64, %68 : tensor<2xui32>
    %70 = stablehlo.slice %62 [1:2] : (tensor<2xui32>) -> tensor<1xui32>
    %71 = stablehlo.reshape %70 : (tensor<1xui32>) -> tensor<ui32>
    %72 = stablehlo.broadcast_in_dim %71, dims = [] : (tensor<ui32>) -> tensor<2xui32>
    %73 = stablehlo.add %65, %72 : tensor<2xui32>
    %74 = stablehlo.constant dense<"0x0D0000000F0000001A00000006000000110000001D00000010000000180000000D0000000F0000001A00000006000000110000001D00000010000000180000000D0000000F0000001A00000006000000"> : tensor<5x4xui32>
    %75 = stablehlo.reshape %67 : (tensor<ui32>) -> tensor<1xui32>
    %76 = stablehlo.reshape %71 : (tensor<ui32>) -> tensor<1xui32>
    %77 = stablehlo.xor %67, %71 : tensor<ui32>
    %78 = stablehlo.constant dense<466688986> : tensor<ui32>
    %79 = stablehlo.xor %77, %78 : tensor<ui32>
    %80 = stablehlo.reshape %79 : (tensor<ui32>) -> tensor<1xui32>
    %81 = stablehlo.concatenate %75, %76, %80, dim = 0 : (tensor<1xui32>, tensor<1xui32>, tensor<1xui32>) -> tensor<3xui32>
    %82 = stablehlo.constant dense<"0x0100000002000000000000000100000002000000"> : tensor<5xi32>
    %83 = "stablehlo.gather"(%81, %82) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<3xui32>, tensor<5xi32>) -> tensor<5xui32>
    %84 = stablehlo.constant dense<"0x0200000000000000010000000200000000000000"> : tensor<5xi32>
    %85 = "stablehlo.gather"(%81, %84) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<3xui32>, tensor<5xi32>) -> tensor<5xui32>
    %86 = stablehlo.constant dense<"0x0100000002000000030000000400000005000000"> : tensor<5xui32>
    %87 = stablehlo.add %85, %86 : tensor<5xui32>
    %88 = stablehlo.constant dense<0> : tensor<i32>
    %89:3 = stablehlo.while(%90 = %88, %91 = %69, %92 = %73) : tensor<i32>, tensor<2xui32>, tensor<2xui32>
    cond {
      %93 = stablehlo.constant dense<5> : tensor<i32>
      %94 = stablehlo.compare LT, %90, %93, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %94 : tensor<i1>
    } do {
      %95 = stablehlo.constant dense<0> : tensor<i32>
      %96 = stablehlo.dynamic_slice %74, %90, %95, sizes = [1, 4] : (tensor<5x4xui32>, tensor<i32>, tensor<i32>) -> tensor<1x4xui32>
      %97 = stablehlo.reshape %96 : (tensor<1x4xui32>) -> tensor<4xui32>
      %98 = stablehlo.dynamic_slice %83, %90, sizes = [1] : (tensor<5xui32>, tensor<i32>) -> tensor<1xui32>
      %99 = stablehlo.reshape %98 : (tensor<1xui32>) -> tensor<ui32>
      %100 = stablehlo.dynamic_slice %87, %90, sizes = [1] : (tensor<5xui32>, tensor<i32>) -> tensor<1xui32>
      %101 = stablehlo.reshape %100 : (tensor<1xui32>) -> tensor<ui32>
      %102 = stablehlo.add %91, %92 : tensor<2xui32>
      %103 = stablehlo.slice %97 [0:1] : (tensor<4xui32>) -> tensor<1xui32>
      %104 = stablehlo.reshape %103 : (tensor<1xui32>) -> tensor<ui32>
      %105 = stablehlo.broadcast_in_dim %104, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %106 = stablehlo.shift_left %92, %105 : tensor<2xui32>
      %107 = stablehlo.constant dense<32> : tensor<ui32>
      %108 = stablehlo.broadcast_in_dim %107, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %109 = stablehlo.subtract %108, %105 : tensor<2xui32>
      %110 = stablehlo.shift_right_logical %92, %109 : tensor<2xui32>
      %111 = stablehlo.or %106, %110 : tensor<2xui32>
      %112 = stablehlo.xor %111, %102 : tensor<2xui32>
      %113 = stablehlo.add %102, %112 : tensor<2xui32>
      %114 = stablehlo.slice %97 [1:2] : (tensor<4xui32>) -> tensor<1xui32>
      %115 = stablehlo.reshape %114 : (tensor<1xui32>) -> tensor<ui32>
      %116 = stablehlo.broadcast_in_dim %115, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %117 = stablehlo.shift_left %112, %116 : tensor<2xui32>
      %118 = stablehlo.subtract %108, %116 : tensor<2xui32>
      %119 = stablehlo.shift_right_logical %112, %118 : tensor<2xui32>
      %120 = stablehlo.or %117, %119 : tensor<2xui32>
      %121 = stablehlo.xor %120, %113 : tensor<2xui32>
      %122 = stablehlo.add %113, %121 : tensor<2xui32>
      %123 = stablehlo.slice %97 [2:3] : (tensor<4xui32>) -> tensor<1xui32>
      %124 = stablehlo.reshape %123 : (tensor<1xui32>) -> tensor<ui32>
      %125 = stablehlo.broadcast_in_dim %124, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %126 = stablehlo.shift_left %121, %125 : tensor<2xui32>
      %127 = stablehlo.subtract %108, %125 : tensor<2xui32>
      %128 = stablehlo.shift_right_logical %121, %127 : tensor<2xui32>
      %129 = stablehlo.or %126, %128 : tensor<2xui32>
      %130 = stablehlo.xor %129, %122 : tensor<2xui32>
      %131 = stablehlo.add %122, %130 : tensor<2xui32>
      %132 = stablehlo.broadcast_in_dim %99, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %133 = stablehlo.add %131, %132 : tensor<2xui32>
      %134 = stablehlo.slice %97 [3:4] : (tensor<4xui32>) -> tensor<1xui32>
      %135 = stablehlo.reshape %134 : (tensor<1xui32>) -> tensor<ui32>
      %136 = stablehlo.broadcast_in_dim %135, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %137 = stablehlo.shift_left %130, %136 : tensor<2xui32>
      %138 = stablehlo.subtract %108, %136 : tensor<2xui32>
      %139 = stablehlo.shift_right_logical %130, %138 : tensor<2xui32>
      %140 = stablehlo.or %137, %139 : tensor<2xui32>
      %141 = stablehlo.xor %140, %131 : tensor<2xui32>
      %142 = stablehlo.broadcast_in_dim %101, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %143 = stablehlo.add %141, %142 : tensor<2xui32>
      %144 = stablehlo.constant dense<1> : tensor<i32>
      %145 = stablehlo.add %90, %144 : tensor<i32>
      stablehlo.return %145, %133, %143 : tensor<i32>, tensor<2xui32>, tensor<2xui32>
    }
    %146 = stablehlo.xor %89#1, %89#2 : tensor<2xui32>
    return %47, %61, %146 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2xui32>
  }
}
